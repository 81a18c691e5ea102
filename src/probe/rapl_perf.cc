// SPDX-License-Identifier: Apache-2.0
// The unit "power" has an event for each kind of domain ("energy-pkg"), as
// "event=0x02", with the joules of one count beside it (".scale"), and counts
// on one CPU of each package ("cpumask").
#include "probe/rapl_perf.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "probe/rapl.h"

namespace modicum {
namespace {

constexpr std::string_view kPmu = "/sys/bus/event_source/devices/power/";
constexpr std::string_view kParanoid = "/proc/sys/kernel/perf_event_paranoid";

struct Event {
  std::string_view file;       // "energy-pkg"
  std::string_view name;       // "package"
  std::string_view component;  // as RaplDomain() has it
  bool each;                   // one for each package
};
constexpr Event kEvents[] = {
    {"energy-pkg", "package", "cpu", true},
    {"energy-ram", "dram", "dram", true},
    {"energy-cores", "core", "core", true},
    {"energy-gpu", "uncore", "uncore", true},
    {"energy-psys", "psys", "platform", false},
};

std::string PmuPath(std::string_view file) {
  return std::string(kPmu) + std::string(file);
}

tl::unexpected<Error> Malformed(const std::string& path) {
  return Fail(ErrorCode::kUnavailable,
              path + " is not what the kernel documents",
              "use --probe rapl or --probe cpu-load");
}

// "event=0x02" -> 2.
Result<uint64_t> ReadConfig(const RootFs& fs, const std::string& path) {
  MODICUM_TRY(const std::string text, ReadTrimmed(fs, path));
  constexpr std::string_view kStart = "event=0x";
  uint64_t config = 0;
  const char* end = text.data() + text.size();
  if (!text.starts_with(kStart)) return Malformed(path);
  const auto [stop, error] =
      std::from_chars(text.data() + kStart.size(), end, config, 16);
  if (error != std::errc() || stop != end) return Malformed(path);
  return config;
}

// Joules of one count.
Result<Joules> ReadScale(const RootFs& fs, const std::string& path) {
  MODICUM_TRY(const std::string text, ReadTrimmed(fs, path));
  double scale = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, scale);
  if (error != std::errc() || stop != end || !(scale > 0) || scale > 1)
    return Malformed(path);
  return Joules(scale);
}

// "0,18" -> 0 and 18; a range ("0-1") has each of its CPUs.
Result<std::vector<int>> ReadCpus(const RootFs& fs) {
  const std::string path = PmuPath("cpumask");
  MODICUM_TRY(const std::string text, ReadTrimmed(fs, path));
  std::vector<int> cpus;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) {
    int first = 0;
    auto parsed = std::from_chars(at, end, first);
    if (parsed.ec != std::errc()) return Malformed(path);
    int last = first;
    if (parsed.ptr != end && *parsed.ptr == '-')
      parsed = std::from_chars(parsed.ptr + 1, end, last);
    if (parsed.ec != std::errc() || first < 0 || last < first ||
        last - first > 4096)
      return Malformed(path);
    for (int cpu = first; cpu <= last; ++cpu) cpus.push_back(cpu);
    at = parsed.ptr;
    if (at == end) break;
    if (*at++ != ',' || at == end) return Malformed(path);
  }
  if (cpus.empty() || cpus.size() > 4096) return Malformed(path);
  return cpus;
}

Error Denied(const RootFs& fs, Error error) {
  if (error.code != ErrorCode::kPermission) return error;
  if (const auto level = ReadTrimmed(fs, kParanoid))
    error.message += fmt::format(" (kernel.perf_event_paranoid is {})", *level);
  error.hint =
      "sudo setcap cap_perfmon+ep on the program, or sudo sysctl "
      "kernel.perf_event_paranoid=0: docs/permissions.md has both and their "
      "risk";
  return error;
}

Result<Sensor> OpenEvent(const ProbeContext& context,
                         const PerfCounters& counters, uint32_t type,
                         const Event& event, int cpu, std::string name) {
  const std::string path = PmuPath("events/" + std::string(event.file));
  MODICUM_TRY(const uint64_t config, ReadConfig(context.fs, path));
  EnergyCounter counter;
  MODICUM_TRY(counter.unit, ReadScale(context.fs, path + ".scale"));
  counter.cap = RaplCap(context.host, event.component);
  auto reader = counters.Open(type, config, cpu);
  if (!reader) return Fail(Denied(context.fs, std::move(reader).error()));
  Sensor sensor{RaplDomain(std::move(name), std::string(event.component)),
                *std::move(reader), counter};
  MODICUM_RETURN_IF_ERROR(sensor.Start(context.now));
  return sensor;
}

Result<SensorSource> FindPerf(const ProbeContext& context,
                              const PerfCounters& counters) {
  const auto type = ReadUnsigned(context.fs, PmuPath("type"));
  if (!type)
    return Fail(ErrorCode::kUnavailable,
                "the kernel has no perf events of energy",
                context.host.virtual_machine
                    ? "virtual machines do not see them; use --probe cpu-load"
                    : "try: modprobe rapl (x86 alone has it)");
  MODICUM_TRY(const std::vector<int> cpus, ReadCpus(context.fs));
  std::vector<Sensor> sensors;
  for (const Event& event : kEvents) {
    if (!context.fs.Exists(PmuPath("events/" + std::string(event.file))))
      continue;
    for (size_t i = 0; i < (event.each ? cpus.size() : 1); ++i) {
      auto sensor = OpenEvent(context, counters, static_cast<uint32_t>(*type),
                              event, cpus[i],
                              event.each ? fmt::format("{}-{}", event.name, i)
                                         : std::string(event.name));
      if (sensor)
        sensors.push_back(*std::move(sensor));
      else if (event.each && IsRaplOuter(event.component))
        return Fail(std::move(sensor).error());
    }
  }
  // A perf event counts from 0: whether the board has a sensor for the
  // platform, only powercap tells.
  const bool platform =
      std::ranges::any_of(sensors,
                          [](const Sensor& sensor) {
                            return sensor.domain.component == "platform";
                          }) &&
      HasLivePlatform(context.fs);
  CountOutermost(sensors, platform);
  if (NamesOf(sensors).empty())
    return Fail(ErrorCode::kUnavailable, "perf has no event of a package");
  std::string reading = fmt::format(
      "counts of {:.3g} nJ, 64 bits wide, a new value every 1 ms",
      std::get<EnergyCounter>(sensors.front().gauge).unit.value() * 1e9);
  return SensorSource{std::move(sensors), RaplErrors(), std::move(reading)};
}

// A machine that was recorded has none of this one's counters.
Result<SensorSource> FindLive(const ProbeContext& context) {
  if (context.fs.root().empty() || !context.fs.Exists(PmuPath("type")))
    return FindPerf(context, SystemPerfCounters());
  return Fail(ErrorCode::kUnavailable,
              "no perf event can be opened on a recorded machine");
}

constexpr std::string_view kName = "rapl-perf";

}  // namespace

Result<std::unique_ptr<Probe>> OpenRaplPerf(const ProbeContext& context,
                                            const PerfCounters& counters) {
  return OpenSource(kName, FindPerf(context, counters));
}

ProbeReport ReportRaplPerf(const ProbeContext& context,
                           const PerfCounters& counters) {
  return ReportSource(kName, FindPerf(context, counters));
}

Result<std::unique_ptr<Probe>> OpenRaplPerf(const ProbeContext& context) {
  return OpenSource(kName, FindLive(context));
}

ProbeReport ReportRaplPerf(const ProbeContext& context) {
  return ReportSource(kName, FindLive(context));
}

}  // namespace modicum
