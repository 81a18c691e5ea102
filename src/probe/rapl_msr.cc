// SPDX-License-Identifier: Apache-2.0
// One CPU of each package is asked, the first. Registers: Intel, SDM volume 4
// (MSR_RAPL_POWER_UNIT and following); AMD, PPR for Family 17h, "RAPL". A
// counter is the lower 32 bits; what one count is worth stands in the register
// of units.
#include "probe/rapl_msr.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <span>
#include <utility>

#include "base/trim.h"
#include "probe/rapl.h"

namespace modicum {
namespace {

constexpr std::string_view kCpuFolder = "/sys/devices/system/cpu";
constexpr std::string_view kDevices = "/dev/cpu";
constexpr uint64_t kCounterMask = 0xFFFF'FFFF;

struct Register {
  uint64_t address;
  std::string_view name;       // "package"
  std::string_view component;  // as RaplDomain() has it
};
constexpr Register kIntel[] = {
    {0x611, "package", "cpu"},   {0x619, "dram", "dram"},
    {0x639, "core", "core"},     {0x641, "uncore", "uncore"},
    {0x64D, "psys", "platform"},
};
// Its counter of a core is of each single one, which would be a read a core.
constexpr Register kAmd[] = {{0xC001'029B, "package", "cpu"}};

struct Processor {
  std::string vendor;
  int family = 0;
  int model = 0;
};

// A vendor's registers.
struct Layout {
  uint64_t units;
  std::span<const Register> counters;
  // Two dies of one package (Cascade Lake-AP) have counters of their own;
  // AMD's are of the package (Linux, arch/x86/events/rapl.c).
  bool each_die;
};

std::string FieldOf(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos && Trim(line.substr(0, colon)) == key)
      return std::string(Trim(line.substr(colon + 1)));
  }
  return "";
}

int NumberOf(const std::string& text) {
  int number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Processor ReadProcessor(const RootFs& fs) {
  const std::string text = fs.Read("/proc/cpuinfo").value_or("");
  return {FieldOf(text, "vendor_id"), NumberOf(FieldOf(text, "cpu family")),
          NumberOf(FieldOf(text, "model"))};
}

Result<Layout> LayoutOf(const Processor& processor) {
  // Silvermont and Airmont: their units count the other way (Linux,
  // intel_rapl_msr.c, "check_unit_atom").
  constexpr int kOtherUnits[] = {55, 74, 76, 90};
  const bool other = std::ranges::count(kOtherUnits, processor.model) > 0;
  if (processor.vendor == "GenuineIntel" && processor.family == 6 && !other)
    return Layout{0x606, kIntel, true};
  if (processor.vendor == "AuthenticAMD" || processor.vendor == "HygonGenuine")
    return Layout{0xC001'0299, kAmd, false};
  return Fail(ErrorCode::kUnavailable,
              "no registers of RAPL are known of this processor");
}

// Of some servers not what the register of units says: model numbers from
// Linux, arch/x86/events/rapl.c, model_hsx and model_knl (DRAM) and model_spr
// (platform).
Joules UnitOf(const Processor& processor, const Register& counter,
              uint64_t units) {
  constexpr int kDramOf15Microjoules[] = {63, 79, 85, 86, 87, 106, 108, 133};
  constexpr int kPlatformOfOneJoule[] = {143, 207};
  const auto among = [&processor](std::span<const int> models) {
    return std::ranges::count(models, processor.model) > 0;
  };
  if (counter.component == "dram" && among(kDramOf15Microjoules))
    return Joules(0x1p-16);
  if (counter.component == "platform" && among(kPlatformOfOneJoule))
    return Joules(1);
  return Joules(std::ldexp(1, -static_cast<int>((units >> 8U) & 0x1FU)));
}

// A package, or a die that counts for itself.
struct Package {
  int id = 0;
  int die = 0;
  int cpu = 0;  // that is asked
};

// Of CPUs that are online: the others have no topology.
std::vector<Package> FindPackages(const RootFs& fs, bool each_die) {
  std::map<std::pair<int, int>, int> first;
  for (const std::string& entry :
       fs.List(kCpuFolder).value_or(std::vector<std::string>{})) {
    if (!entry.starts_with("cpu")) continue;
    const int cpu = NumberOf(entry.substr(3));
    const std::string topology =
        std::string(kCpuFolder) + "/" + entry + "/topology/";
    const auto number = [&fs, &topology](const char* file) {
      return NumberOf(ReadTrimmed(fs, topology + file).value_or(""));
    };
    const int package = number("physical_package_id");
    if (cpu < 0 || package < 0) continue;
    const int die = each_die ? std::max(0, number("die_id")) : 0;
    int& asked = first.try_emplace({package, die}, cpu).first->second;
    asked = std::min(asked, cpu);
  }
  std::vector<Package> packages;
  for (const auto& [key, cpu] : first)
    packages.push_back({key.first, key.second, cpu});
  return packages;
}

// As powercap names them: "package-0", "package-0-die-1".
std::string NameOf(const Register& counter, const Package& package, bool dies) {
  if (counter.component == "platform") return std::string(counter.name);
  return dies ? fmt::format("{}-{}-die-{}", counter.name, package.id,
                            package.die)
              : fmt::format("{}-{}", counter.name, package.id);
}

std::string DeviceOf(int cpu) {
  return fmt::format("{}/{}/msr", kDevices, cpu);
}

class MsrCount final : public CountReader {
 public:
  MsrCount(const RootFs& fs, int cpu, uint64_t address)
      : file_(fs, DeviceOf(cpu)), address_(address) {}
  Result<uint64_t> Read() override {
    MODICUM_TRY(const uint64_t word, file_.ReadWord(address_));
    return word & kCounterMask;
  }

 private:
  KeptFile file_;
  const uint64_t address_;
};

std::string CureOfNone(const HostFacts& host) {
  return host.virtual_machine
             ? "virtual machines do not see them; use --probe cpu-load"
             : "try: modprobe msr";
}

Error WithCureOf(Error error, const HostFacts& host) {
  if (error.code == ErrorCode::kPermission) {
    error.hint =
        "rapl-perf and rapl want less (docs/permissions.md); the registers "
        "want root, or CAP_SYS_RAWIO and a readable file";
    return error;
  }
  if (error.code == ErrorCode::kNotFound) error.hint = CureOfNone(host);
  error.code = ErrorCode::kUnavailable;
  return error;
}

// Hypervisors answer 0 where they show no energy.
tl::unexpected<Error> NotShown(const Package& package, const HostFacts& host) {
  return Fail(ErrorCode::kUnavailable,
              fmt::format("the counter of package {} reads 0", package.id),
              host.virtual_machine
                  ? "virtual machines do not see it; use --probe cpu-load"
                  : "use --probe cpu-load (result marked \"modelled\")");
}

struct Asked {
  const ProbeContext& context;
  Processor processor;
  Layout layout;
  bool dies = false;  // packages of several
};

// Nothing of a counter that is not there or never moved.
Result<std::optional<Sensor>> OpenCounter(const Asked& asked,
                                          const Package& package,
                                          const Register& counter,
                                          uint64_t units) {
  EnergyCounter gauge;
  gauge.unit = UnitOf(asked.processor, counter, units);
  gauge.range = kCounterMask;
  gauge.cap = RaplCap(asked.context.host, counter.component);
  Sensor sensor{RaplDomain(NameOf(counter, package, asked.dies),
                           std::string(counter.component)),
                std::make_unique<MsrCount>(asked.context.fs, package.cpu,
                                           counter.address),
                gauge};
  const Status started = sensor.Start(asked.context.now);
  const bool moves = started && std::get<EnergyCounter>(sensor.gauge).last != 0;
  if (moves) return std::optional(std::move(sensor));
  if (counter.component != "cpu") return std::optional<Sensor>();
  if (started) return NotShown(package, asked.context.host);
  return Fail(WithCureOf(started.error(), asked.context.host));
}

Status OpenPackage(const Asked& asked, const Package& package, bool first,
                   std::vector<Sensor>& sensors) {
  auto units =
      asked.context.fs.ReadWord(DeviceOf(package.cpu), asked.layout.units);
  if (!units)
    return Fail(WithCureOf(std::move(units).error(), asked.context.host));
  if (*units == 0) return NotShown(package, asked.context.host);
  for (const Register& counter : asked.layout.counters) {
    if (counter.component == "platform" && !first) continue;
    MODICUM_TRY(auto sensor, OpenCounter(asked, package, counter, *units));
    if (sensor) sensors.push_back(*std::move(sensor));
  }
  return {};
}

Result<SensorSource> FindMsr(const ProbeContext& context) {
  const Processor processor = ReadProcessor(context.fs);
  MODICUM_TRY(const Layout layout, LayoutOf(processor));
  if (!context.fs.List(kDevices))
    return Fail(
        ErrorCode::kUnavailable,
        "no registers can be read: there is no " + std::string(kDevices),
        CureOfNone(context.host));
  const auto packages = FindPackages(context.fs, layout.each_die);
  if (packages.empty())
    return Fail(ErrorCode::kUnavailable,
                std::string(kCpuFolder) + " tells no CPU's package");
  const Asked asked{context, processor, layout,
                    std::ranges::any_of(packages, [](const Package& package) {
                      return package.die > 0;
                    })};
  std::vector<Sensor> sensors;
  for (const Package& package : packages)
    MODICUM_RETURN_IF_ERROR(
        OpenPackage(asked, package, &package == packages.data(), sensors));
  // What the platform's register of one socket holds of the others is not
  // documented.
  const auto is_platform = [](const Sensor& sensor) {
    return sensor.domain.component == "platform";
  };
  CountOutermost(sensors, packages.size() == 1 &&
                              std::ranges::any_of(sensors, is_platform));
  std::string reading = fmt::format(
      "counts of {:.3g} uJ, 32 bits wide, a new value every 1 ms",
      std::get<EnergyCounter>(sensors.front().gauge).unit.value() * 1e6);
  return SensorSource{std::move(sensors), RaplErrors(), std::move(reading)};
}

}  // namespace

Result<std::unique_ptr<Probe>> OpenRaplMsr(const ProbeContext& context) {
  return OpenSource("rapl-msr", FindMsr(context));
}

ProbeReport ReportRaplMsr(const ProbeContext& context) {
  return ReportSource("rapl-msr", FindMsr(context));
}

}  // namespace modicum
