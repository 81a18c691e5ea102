// SPDX-License-Identifier: Apache-2.0
// What a machine was learned to draw, from a wall meter: idle power and power
// for each busy CPU; apart from that the power supply's loss, where counters
// were read beside the meter, else memory's part, where it can be told. Each
// with the error that its fit has earned.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/estimate.h"
#include "base/result.h"
#include "base/units.h"
#include "record/types.h"

namespace modicum {

// A level of load that was held, and what the meter showed meanwhile.
struct CalibrationPoint {
  double busy_cpus = 0;  // mean
  Watts power;           // mean
  // Of it, what counters showed of processors and memory; absent: none did.
  std::optional<Watts> inside = {};
};

// Memory read by all CPUs, and what the meter showed meanwhile.
struct MemoryPoint {
  CalibrationPoint load;
  double gigabytes_per_second = 0;
};

// From what counters show inside of a machine to its plug.
struct SupplyLine {
  Estimate<Watts> per_watt;  // at the plug, of a watt inside: its loss is in it
  Estimate<Watts> rest;      // at the plug, of what no counter sees
  double ln_sd = 0;          // 1 sd of its predictions, as Calibration's
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
  std::optional<SupplyLine> supply = {};
  // What a GB/s of memory traffic draws more than integer work on the same
  // CPUs.
  std::optional<Estimate<Watts>> memory = {};

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

// Least squares of the meter over what the counters showed, for at least three
// points that have it. Errors of the two by Student's t from the residuals, and
// the meter's own. kInvalidInput: too few, too close, or a supply that would
// give more than it takes.
Result<SupplyLine> FitSupply(std::span<const CalibrationPoint> points,
                             double meter_sd);

// From a load that reads memory, beside what the line makes of its CPUs.
// kUnavailable: within the line's error of it (90 %), so it cannot be told
// apart.
Result<Estimate<Watts>> MemoryDraw(const Calibration& calibration,
                                   const MemoryPoint& point);

// A CSV table with a row for each machine; a shared home holds many.
// kInvalidInput names file and line.
Result<std::optional<Calibration>> FindCalibration(std::string_view csv,
                                                   const std::string& file,
                                                   std::string_view key);
// The table in a file; "" where there is none: a device, which may have no end,
// holds none.
Result<std::string> ReadCalibrations(const std::string& file);
// The same from a file; none where there is no file.
Result<std::optional<Calibration>> ReadCalibration(const std::string& file,
                                                   std::string_view key);
// The table with this row added, or in the place of the machine's former one;
// without it where `calibration` is absent.
Result<std::string> WithCalibration(
    std::string_view csv, const std::string& file, std::string_view key,
    const std::optional<Calibration>& calibration);

}  // namespace modicum
