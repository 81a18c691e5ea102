// SPDX-License-Identifier: Apache-2.0
// What a machine without sensors was learned to draw, from a wall meter: idle
// power and power for each busy CPU, with the error that this fit has earned.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"
#include "record/types.h"

namespace modicum {

// A level of load that was held, and what the meter showed meanwhile.
struct CalibrationPoint {
  double busy_cpus = 0;  // mean
  Watts power;           // mean
};

struct Calibration {
  std::string host;  // name, CPU model and CPUs: see CalibrationKey
  Watts idle;
  Watts per_cpu;        // a busy CPU draws more than an idle one
  double ln_sd = 0;     // 1 sd of its predictions, relative: see FitCalibration
  double meter_sd = 0;  // of it, what the meter itself may be off
  int points = 0;
  std::string source;  // "wall meter: `cmd`"
  std::string date;    // UTC, when it was made

  Watts PowerAt(double busy_cpus) const { return idle + per_cpu * busy_cpus; }
};

// A machine whose name, chip or CPUs change is another one.
std::string CalibrationKey(const HostFacts& host);

// Least squares over at least two points of different load. The error is the
// root mean square of each point predicted from the others (from the residuals
// where there are only three points, and a fifth where there are two), beside
// `meter_sd`, the meter's own accuracy (relative, 1 sd). kInvalidInput: loads
// too close, power that falls with load, or none.
Result<Calibration> FitCalibration(std::span<const CalibrationPoint> points,
                                   double meter_sd);

// A CSV table with a row for each machine; a shared home holds many.
// kInvalidInput names file and line.
Result<std::optional<Calibration>> FindCalibration(std::string_view csv,
                                                   const std::string& file,
                                                   std::string_view key);
// The same from a file; none where there is no file.
Result<std::optional<Calibration>> ReadCalibration(const std::string& file,
                                                   std::string_view key);
// The table with this row added, or in the place of the machine's former one;
// without it where `calibration` is absent.
Result<std::string> WithCalibration(
    std::string_view csv, const std::string& file, std::string_view key,
    const std::optional<Calibration>& calibration);

}  // namespace modicum
