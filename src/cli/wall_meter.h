// SPDX-License-Identifier: Apache-2.0
// A wall meter, as a command that prints watts or as a source of the machine's
// own that covers all of it, and loads of a known number of CPUs to read it
// under.
#pragma once

#include <atomic>
#include <functional>
#include <latch>
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
// "63.5 W", "power: 63,500 mW" is refused, and so is what no single machine
// draws. kInvalidInput.
Result<Watts> ParseWatts(std::string_view text);

// What the shell command prints on stdout; kInvalidInput when it fails or
// prints no watts, kRetry when it takes longer than `limit`, kInterrupted.
Result<Watts> ReadWallMeter(const std::string& command,
                            const std::stop_token& stop,
                            Seconds limit = Seconds(10));

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

// Keeps `cpus` CPUs reading `each` of memory while it lives, one after another
// of its lines: more of it than caches hold.
class BusyMemory {
 public:
  BusyMemory(int cpus, Bytes each);
  // So far.
  Bytes read() const { return Bytes(static_cast<double>(read_)); }

 private:
  std::latch filled_;
  std::atomic<uint64_t> read_ = 0;
  std::vector<std::jthread> threads_;
};

// Loads to hold: none, all, and up to three in between.
std::vector<int> LoadsOf(int cpus);

// The counters of processors and memory, to be read beside a meter; nullptr:
// none can be read.
std::unique_ptr<Probe> OpenInside(const ProbeContext& context);

// What a load is held and read with.
struct Bench {
  const WallMeter& meter;
  Probe* inside = nullptr;  // none
  Seconds length;
  const RootFs& fs;
  Clock& clock;
  const std::stop_token& stop;
};

// Holds a load of `cpus` for `length`, reads the meter all the while (its first
// quarter is left out) and counts how busy the machine really was.
// kInterrupted.
Result<CalibrationPoint> HoldLoad(const Bench& bench, int cpus);
// The same of reading memory, of which `ram` is there.
Result<MemoryPoint> HoldMemoryLoad(const Bench& bench, int cpus, Bytes ram);

}  // namespace modicum
