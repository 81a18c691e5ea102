// SPDX-License-Identifier: Apache-2.0
#include "cli/wall_meter.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/trim.h"
#include "cli/shell_command.h"
#include "meter/host_cpu.h"

namespace modicum {
namespace {

// What a meter shows of the load before.
constexpr double kSettles = 0.25;  // of the length
constexpr Seconds kReadEvery(1);
// How soon a stop request is noticed.
constexpr Seconds kSleeps = Milliseconds(200);
// Of one machine.
constexpr Watts kMostWatts(100e3);
// Of memory that each CPU reads, and all of them of the machine's.
constexpr Bytes kMostMemory{256.0 * 1024 * 1024};
constexpr double kPartOfRam = 0.125;

// Energy of processors and memory since the last read; nullopt: a reading was
// lost.
std::optional<Joules> ReadInside(Probe& probe, MonotonicTime now) {
  const auto deltas = probe.Read(now);
  if (!deltas) return std::nullopt;
  Joules energy;
  for (size_t i = 0; i < deltas->size(); ++i) {
    const std::string& component = probe.domains()[i].component;
    if (component != "cpu" && component != "dram") continue;
    if ((*deltas)[i].gap) return std::nullopt;
    energy += (*deltas)[i].energy;
  }
  return energy;
}

std::optional<Joules> Sum(Joules sum, const std::optional<Joules>& next) {
  return next ? std::optional(sum + *next) : std::nullopt;
}

tl::unexpected<Error> Interrupted() {
  return Fail(ErrorCode::kInterrupted, "interrupted: nothing is changed");
}

Status SleepUntil(MonotonicTime when, Clock& clock,
                  const std::stop_token& stop) {
  while (true) {
    if (stop.stop_requested()) return Interrupted();
    const MonotonicTime now = clock.Now();
    if (now >= when) return {};
    clock.SleepUntil(std::min(when, now + kSleeps));
  }
}

// NAN: not in a unit of power.
Watts InUnit(double number, std::string_view unit) {
  if (unit.empty() || unit == "W") return Watts(number);
  if (unit == "kW") return Watts(number * 1000);
  if (unit == "mW") return Watts(number / 1000);
  return Watts(NAN);
}

}  // namespace

Result<Watts> ParseWatts(std::string_view text) {
  text = Trim(text);
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  const Watts watts = InUnit(
      number, Trim(std::string_view(stop, static_cast<size_t>(end - stop))));
  if (watts > kMostWatts)
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("'{}' is more than a machine draws", text.substr(0, 60)),
        "watts of this machine alone, 100 kW at most: 63.5, or 63.5 W");
  if (error == std::errc() && watts > Watts(0)) return watts;
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("'{}' is no power", text.substr(0, 60)),
              "watts, more than 0: 63.5, or 63.5 W");
}

Result<Watts> ReadWallMeter(const std::string& command,
                            const std::stop_token& stop, Seconds limit) {
  const auto text = ReadShellCommand(command, stop, {.time = limit});
  if (!text && text.error().code == ErrorCode::kInterrupted)
    return Interrupted();
  if (!text)
    return Fail(
        text.error().code,
        fmt::format("--wall-cmd '{}' {}", command, text.error().message),
        "it must print watts on stdout and exit with 0: does it when you run "
        "it by hand?");
  auto watts = ParseWatts(*text);
  if (!watts)
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("--wall-cmd '{}': {}", command, watts.error().message),
        watts.error().hint);
  return watts;
}

WallMeter MeterOf(std::shared_ptr<Probe> probe, const std::string& name,
                  Clock& clock) {
  return [probe = std::move(probe), name, &clock]() -> Result<Watts> {
    const auto lost = [&name](const Error& why) {
      return Fail(why.code,
                  fmt::format("--wall-probe {}: {}", name, why.message),
                  why.hint);
    };
    const MonotonicTime began = clock.Now();
    if (const auto start = probe->Read(began); !start)
      return lost(start.error());
    clock.SleepUntil(began + kReadEvery);
    const MonotonicTime ended = clock.Now();
    const auto deltas = probe->Read(ended);
    if (!deltas) return lost(deltas.error());
    Joules energy;
    for (size_t i = 0; i < deltas->size(); ++i) {
      if (!probe->domains()[i].counted) continue;
      if ((*deltas)[i].gap)
        return lost({ErrorCode::kRetry, "a reading was lost",
                     "once more may do; `modicum doctor` shows the source"});
      energy = energy + (*deltas)[i].energy;
    }
    return energy / (ended - began);
  };
}

Result<ProbedMeter> OpenProbedMeter(const ProbeContext& context,
                                    const std::string& name, Clock& clock) {
  MODICUM_TRY(auto probes, OpenProbes(context, name));
  std::shared_ptr<Probe> probe = std::move(probes.front());
  for (const Domain& domain : probe->domains()) {
    if (!domain.counted) continue;
    // RAPL's platform ends before the power supply.
    if ((domain.component != "wall" && domain.component != "platform") ||
        name.starts_with("rapl") || domain.origin == Origin::kModelled)
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("--wall-probe {}: {} is no meter of the whole "
                              "machine",
                              name, domain.name),
                  "redfish, ipmi, battery or hwmon's sensor of the board are: "
                  "`modicum doctor` says which can be used");
  }
  double variance = 0;
  for (const Share& error : probe->relative_errors())
    variance += error.delta * error.delta;
  return ProbedMeter{MeterOf(std::move(probe), name, clock),
                     std::sqrt(variance)};
}

// Integer work that no compiler leaves out.
BusyCpus::BusyCpus(int cpus) {
  for (int i = 0; i < cpus; ++i)
    threads_.emplace_back([](const std::stop_token& stop) {
      std::atomic<uint64_t> state = 1;
      while (!stop.stop_requested())
        for (int n = 0; n < 10'000; ++n)
          state.store(
              state.load(std::memory_order_relaxed) * 6364136223846793005ULL +
                  1,
              std::memory_order_relaxed);
    });
}

// The sum keeps the compiler from leaving it out. A block is counted at once.
BusyMemory::BusyMemory(int cpus, Bytes each) : filled_(cpus) {
  constexpr size_t kBlock = 1 << 17;  // words: a mebibyte
  const size_t words =
      std::max<size_t>(1, static_cast<size_t>(each.value()) / 8 / kBlock) *
      kBlock;
  for (int i = 0; i < cpus; ++i)
    threads_.emplace_back([this, words](const std::stop_token& stop) {
      const std::vector<uint64_t> memory(words, 1);
      filled_.count_down();
      std::atomic<uint64_t> sum = 0;
      for (size_t at = 0; !stop.stop_requested(); at = (at + kBlock) % words) {
        sum = std::accumulate(&memory[at], &memory[at] + kBlock, sum.load());
        read_ += kBlock * sizeof(uint64_t);
      }
    });
  filled_.wait();
}

std::vector<int> LoadsOf(int cpus) {
  std::vector<int> loads;
  for (const double part : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    const int load = static_cast<int>(std::lround(part * cpus));
    if (loads.empty() || load != loads.back()) loads.push_back(load);
  }
  return loads;
}

std::unique_ptr<Probe> OpenInside(const ProbeContext& context) {
  for (const ProbeKind& kind : ProbeKinds()) {
    if (!kind.name.starts_with("rapl")) continue;
    if (auto probe = kind.open(context)) return *std::move(probe);
  }
  return nullptr;
}

Result<CalibrationPoint> HoldLoad(const Bench& bench, int cpus) {
  const auto& [meter, inside, length, fs, clock, stop] = bench;
  const BusyCpus busy(cpus);
  HostCpuReader host(fs);
  MODICUM_RETURN_IF_ERROR(
      SleepUntil(clock.Now() + length * kSettles, clock, stop));
  MODICUM_TRY(const HostCpu before, host.Read());
  const MonotonicTime began = clock.Now();
  std::optional<Joules> counted;
  if (inside != nullptr && inside->Read(began)) counted = Joules(0);
  double sum = 0;
  int readings = 0;
  while (readings == 0 || clock.Now() - began < length * (1 - kSettles)) {
    const MonotonicTime next = clock.Now() + kReadEvery;
    MODICUM_TRY(const Watts power, meter());
    sum += power.value();
    ++readings;
    MODICUM_RETURN_IF_ERROR(SleepUntil(
        std::min(next, began + length * (1 - kSettles)), clock, stop));
    if (counted) counted = Sum(*counted, ReadInside(*inside, clock.Now()));
  }
  MODICUM_TRY(const HostCpu after, host.Read());
  const Seconds wall = clock.Now() - began;
  CalibrationPoint point{(after.busy - before.busy) / wall,
                         Watts(sum / readings)};
  if (counted) point.inside = *counted / wall;
  return point;
}

Result<MemoryPoint> HoldMemoryLoad(const Bench& bench, int cpus, Bytes ram) {
  const BusyMemory memory(cpus, std::min(kMostMemory, ram * kPartOfRam / cpus));
  const MonotonicTime began = bench.clock.Now();
  const Bytes before = memory.read();
  MODICUM_TRY(const CalibrationPoint load, HoldLoad(bench, 0));
  const Bytes read = memory.read() - before;
  return MemoryPoint{load,
                     read.value() / 1e9 / (bench.clock.Now() - began).value()};
}

}  // namespace modicum
