// SPDX-License-Identifier: Apache-2.0
// Zones: "intel-rapl:0" is a package (or the platform, psys), "intel-rapl:0:1"
// a part of it or its DRAM; "intel-rapl-mmio:0" is the same package read
// another way. psys contains the packages and the DRAM (Intel SDM: "all
// devices in the platform that receive power from the integrated power
// delivery"), a package its cores and graphics; DRAM is outside the package.
#include "probe/rapl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "hardware/machine.h"

namespace modicum {
namespace {

constexpr std::string_view kPowercap = "/sys/class/powercap";
constexpr std::string_view kMsr = "intel-rapl:";
constexpr std::string_view kMmio = "intel-rapl-mmio:";
constexpr std::string_view kPermissionHint =
    "docs/permissions.md shows how to grant read access and its risk, or use "
    "--probe cpu-load (result marked \"modelled\")";
constexpr std::string_view kOtherHint =
    "use --probe cpu-load (result marked \"modelled\")";

// Turbo goes beyond TDP and beyond the long-term limit for a while.
constexpr double kTurboHeadroom = 2;
constexpr Watts kUnknownCap{1000};
// No vendor states an error bound. Assumed 5 %: RAPL readings are "highly
// correlated with plug power, promisingly accurate enough" (Khan et al., RAPL
// in Action, ACM TOMPECS 3(2), 2018).
constexpr double kRaplSd = 0.05;

// Counts of two ways begin and end at moments that differ a little.
constexpr double kMostApart = 0.1;
// Less than this is noise of single updates.
constexpr Joules kLeastCompared{0.05};

std::string ZonePath(const std::string& zone, std::string_view file) {
  return std::string(kPowercap) + "/" + zone + "/" + std::string(file);
}

// "intel-rapl:0:1" -> "intel-rapl:0"; "" for an outermost zone.
std::string Parent(const std::string& zone) {
  const size_t first = zone.find(':');
  const size_t last = zone.rfind(':');
  return first == last ? "" : zone.substr(0, last);
}

// A zone as found, before it is decided what to do with it.
struct Found {
  std::string zone;  // "intel-rapl:0:1"
  std::string name;  // "package-0", "psys", "dram-0", "core-0"
  std::string component;
};

std::string Component(std::string_view raw) {
  if (raw.starts_with("package")) return "cpu";
  if (raw == "dram") return "dram";
  if (raw == "psys") return "platform";
  return std::string(raw);  // core, uncore
}

// Parts get their package's number: "core" of "package-1" is "core-1".
Result<std::string> DomainName(const RootFs& fs, const std::string& zone,
                               const std::string& raw) {
  const std::string parent = Parent(zone);
  if (parent.empty()) return raw;
  MODICUM_TRY(const std::string of, ReadTrimmed(fs, ZonePath(parent, "name")));
  const size_t dash = of.find('-');
  return dash == std::string::npos ? raw : raw + of.substr(dash);
}

// All zones, MSR before MMIO, so that of twins the MSR one is met first. A
// zone whose name cannot be read might be a package: that is an error.
Result<std::vector<Found>> FindZones(const RootFs& fs) {
  std::vector<Found> zones;
  const auto names = fs.List(kPowercap);
  if (!names && names.error().code == ErrorCode::kNotFound) return zones;
  if (!names) return Fail(names.error());
  for (const std::string_view prefix : {kMsr, kMmio}) {
    for (const std::string& zone : *names) {
      if (!zone.starts_with(prefix)) continue;
      MODICUM_TRY(const std::string raw,
                  ReadTrimmed(fs, ZonePath(zone, "name")));
      MODICUM_TRY(std::string name, DomainName(fs, zone, raw));
      zones.push_back({zone, std::move(name), Component(raw)});
    }
  }
  return zones;
}

// The bound of implied power: the zone's own limit comes first.
Watts Cap(const RootFs& fs, const HostFacts& host, const Found& found) {
  const auto limit =
      ReadUnsigned(fs, ZonePath(found.zone, "constraint_0_max_power_uw"));
  if (limit && *limit > 0)
    return Watts(static_cast<double>(*limit) * 1e-6 * kTurboHeadroom);
  return RaplCap(host, found.component);
}

Result<Sensor> OpenZone(const ProbeContext& context, const Found& found) {
  const RootFs& fs = context.fs;
  EnergyCounter counter;
  MODICUM_TRY(counter.range,
              ReadUnsigned(fs, ZonePath(found.zone, "max_energy_range_uj")));
  counter.cap = Cap(fs, context.host, found);
  Sensor sensor{
      RaplDomain(found.name, found.component),
      std::make_unique<FileCount>(fs, ZonePath(found.zone, "energy_uj")),
      counter};
  MODICUM_RETURN_IF_ERROR(sensor.Start(context.now));
  return sensor;
}

struct Opened {
  std::vector<Sensor> sensors;
  // The first failure of a zone that would have to be counted.
  std::optional<Error> failure;
};

Opened OpenZones(const ProbeContext& context,
                 const std::vector<Found>& found_zones) {
  Opened out;
  std::map<std::string, std::optional<Error>> failed;
  for (const Found& found : found_zones) {
    const bool twin =
        std::ranges::any_of(out.sensors, [&found](const Sensor& sensor) {
          return sensor.domain.name == found.name;
        });
    if (twin) continue;
    auto sensor = OpenZone(context, found);
    if (sensor) {
      out.sensors.push_back(*std::move(sensor));
      failed.erase(found.name);  // its twin could not be read; this one can
    } else if (IsRaplOuter(found.component)) {
      failed.try_emplace(found.name, std::move(sensor).error());
    }
  }
  // A board without the sensor shows a counter that stays at zero.
  CountOutermost(out.sensors,
                 std::ranges::any_of(out.sensors, [](const Sensor& sensor) {
                   return sensor.domain.component == "platform" &&
                          std::get<EnergyCounter>(sensor.gauge).last > 0;
                 }));
  if (!failed.empty()) out.failure = failed.begin()->second;
  return out;
}

bool Counts(const std::vector<Sensor>& sensors, std::string_view component) {
  return std::ranges::any_of(sensors, [component](const Sensor& sensor) {
    return sensor.domain.counted && sensor.domain.component == component;
  });
}

Error WithHint(Error error) {
  error.hint =
      error.code == ErrorCode::kPermission ? kPermissionHint : kOtherHint;
  return error;
}

Result<SensorSource> FindRapl(const ProbeContext& context) {
  auto found = FindZones(context.fs);
  if (!found) return Fail(WithHint(std::move(found).error()));
  Opened opened = OpenZones(context, *found);
  // Half of a machine is worse than none: it looks like the whole.
  const bool platform = Counts(opened.sensors, "platform");
  if (opened.failure && !platform)
    return Fail(WithHint(*std::move(opened.failure)));
  if (!platform && !Counts(opened.sensors, "cpu"))
    return Fail(
        ErrorCode::kUnavailable,
        "no RAPL counters: " + std::string(kPowercap) + " has no package",
        context.host.virtual_machine
            ? "virtual machines do not see them; use --probe cpu-load"
            : "try: modprobe intel_rapl_msr (in a container: mount "
              "/sys/class/powercap)");
  return SensorSource{std::move(opened.sensors), RaplErrors(),
                      "microjoules, a new value every 1 ms"};
}

}  // namespace

Domain RaplDomain(std::string name, std::string component) {
  Domain domain;
  domain.name = std::move(name);
  domain.component = std::move(component);
  domain.scope =
      domain.component == "platform" ? Scope::kHost : Scope::kPackage;
  domain.origin = Origin::kCounter;
  return domain;
}

Watts RaplCap(const HostFacts& host, std::string_view component) {
  const auto chip = FindChip(host.cpu_model);
  if (component == "cpu" && chip) return chip->tdp * kTurboHeadroom;
  return kUnknownCap;
}

bool IsRaplOuter(std::string_view component) {
  return component == "cpu" || component == "dram" || component == "platform";
}

void CountOutermost(std::vector<Sensor>& sensors, bool platform) {
  for (Sensor& sensor : sensors) {
    const std::string& component = sensor.domain.component;
    sensor.domain.counted = platform
                                ? component == "platform"
                                : component == "cpu" || component == "dram";
  }
}

bool HasLivePlatform(const RootFs& fs) {
  const auto zones = FindZones(fs);
  return zones && std::ranges::any_of(*zones, [&fs](const Found& found) {
           return found.component == "platform" &&
                  ReadUnsigned(fs, ZonePath(found.zone, "energy_uj"))
                          .value_or(0) > 0;
         });
}

std::vector<Share> RaplErrors() {
  return {Share{InternSource("RAPL accuracy (assumed)"), kRaplSd}};
}

std::string CompareRapl(const Probe& one,
                        const std::vector<DomainDelta>& by_one,
                        const Probe& other,
                        const std::vector<DomainDelta>& by_other) {
  std::string text;
  for (size_t i = 0; i < by_one.size(); ++i)
    for (size_t j = 0; j < by_other.size(); ++j) {
      if (one.domains()[i].name != other.domains()[j].name) continue;
      const Joules a = by_one[i].energy;
      const Joules b = by_other[j].energy;
      if (by_one[i].gap || by_other[j].gap || std::max(a, b) < kLeastCompared)
        continue;
      if (std::abs((a - b).value()) <= kMostApart * std::max(a, b).value())
        continue;
      text += fmt::format("{}{}: {:.3g} J by {}, {:.3g} J by {}",
                          text.empty() ? "" : "; ", one.domains()[i].name,
                          a.value(), one.name(), b.value(), other.name());
    }
  return text;
}

Result<std::unique_ptr<Probe>> OpenRapl(const ProbeContext& context) {
  return OpenSource("rapl", FindRapl(context));
}

ProbeReport ReportRapl(const ProbeContext& context) {
  return ReportSource("rapl", FindRapl(context));
}

}  // namespace modicum
