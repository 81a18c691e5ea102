// SPDX-License-Identifier: Apache-2.0
// A wall meter, as a command that prints watts or as a source of the machine's
// own that covers all of it, and loads of a known number of CPUs to read it
// under.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/root_fs.h"
#include "hardware/calibration.h"
#include "probe/probe.h"

namespace modicum {

// The first number of `text`, which may have a unit behind it: "63.5",
// "63.5 W", "power: 63,500 mW" is refused. kInvalidInput.
Result<Watts> ParseWatts(std::string_view text);

// What the shell command prints on stdout; kInvalidInput when it fails or
// prints no watts.
Result<Watts> ReadWallMeter(const std::string& command);

// Each call reads anew: a mean over the time that the reading took.
using WallMeter = std::function<Result<Watts>()>;

// A source that meters the machine as a whole, and its own error (relative,
// 1 sd). kInvalidInput for one that covers a part of it or is a model.
struct ProbedMeter {
  WallMeter read;
  double sd = 0;
};
Result<ProbedMeter> OpenProbedMeter(const ProbeContext& context,
                                    const std::string& name, Clock& clock);
// Of a probe that is open; `name` is for its errors.
WallMeter MeterOf(std::shared_ptr<Probe> probe, const std::string& name,
                  Clock& clock);

// Keeps `cpus` CPUs busy while it lives.
class BusyCpus {
 public:
  explicit BusyCpus(int cpus);

 private:
  std::vector<std::jthread> threads_;
};

// Loads to hold: none, all, and up to three in between.
std::vector<int> LoadsOf(int cpus);

// Holds a load of `cpus` for `length`, reads the meter all the while (its first
// second is left out) and counts how busy the machine really was.
// kInterrupted.
Result<CalibrationPoint> HoldLoad(int cpus, Seconds length,
                                  const WallMeter& meter, const RootFs& fs,
                                  Clock& clock, const std::stop_token& stop);

}  // namespace modicum
