// SPDX-License-Identifier: Apache-2.0
// Zones: "intel-rapl:0" is a package (or the platform, psys), "intel-rapl:0:1"
// a part of it or its DRAM; "intel-rapl-mmio:0" is the same package read
// another way. psys contains the packages and the DRAM (Intel SDM: "all
// devices in the platform that receive power from the integrated power
// delivery"), a package its cores and graphics; DRAM is outside the package.
#include "probe/rapl.h"

#include <algorithm>
#include <charconv>
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
// Reads and counter updates are not simultaneous: the energy of one update
// more than the span's may appear in it.
constexpr Seconds kJitter{0.01};
// No vendor states an error bound. Assumed 5 %: RAPL readings are "highly
// correlated with plug power, promisingly accurate enough" (Khan et al., RAPL
// in Action, ACM TOMPECS 3(2), 2018).
constexpr double kAccuracySd = 0.05;

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

// The bound of implied power. The zone's own limit comes first, then the
// chip's TDP, then what no package reaches.
Watts Cap(const RootFs& fs, const HostFacts& host, const Found& found) {
  const auto limit =
      ReadUnsigned(fs, ZonePath(found.zone, "constraint_0_max_power_uw"));
  if (limit && *limit > 0)
    return Watts(static_cast<double>(*limit) * 1e-6 * kTurboHeadroom);
  const auto chip = FindChip(host.cpu_model);
  if (found.component == "cpu" && chip) return chip->tdp * kTurboHeadroom;
  return kUnknownCap;
}

Result<RaplZone> OpenZone(const RootFs& fs, const HostFacts& host,
                          const Found& found, MonotonicTime now) {
  RaplZone zone;
  zone.path = ZonePath(found.zone, "energy_uj");
  MODICUM_TRY(zone.last_uj, ReadUnsigned(fs, zone.path));
  MODICUM_TRY(zone.range_uj,
              ReadUnsigned(fs, ZonePath(found.zone, "max_energy_range_uj")));
  zone.last_at = now;
  zone.based = true;
  zone.cap = Cap(fs, host, found);
  zone.domain.name = found.name;
  zone.domain.component = found.component;
  zone.domain.scope =
      found.component == "platform" ? Scope::kHost : Scope::kPackage;
  zone.domain.origin = Origin::kCounter;
  return zone;
}

bool IsOuter(const std::string& component) {
  return component == "cpu" || component == "dram" || component == "platform";
}

// Exactly the outermost of what contains one another.
void MarkCounted(std::vector<RaplZone>& zones) {
  const bool platform = std::ranges::any_of(zones, [](const RaplZone& zone) {
    // A board without the sensor shows a counter that stays at zero.
    return zone.domain.component == "platform" && zone.last_uj > 0;
  });
  for (RaplZone& zone : zones) {
    const std::string& component = zone.domain.component;
    zone.domain.counted = platform ? component == "platform"
                                   : component == "cpu" || component == "dram";
  }
}

struct Opened {
  std::vector<RaplZone> zones;
  // The first failure of a zone that would have to be counted.
  std::optional<Error> failure;
};

Opened OpenZones(const RootFs& fs, const HostFacts& host,
                 const std::vector<Found>& found_zones, MonotonicTime now) {
  Opened out;
  std::map<std::string, std::optional<Error>> failed;
  for (const Found& found : found_zones) {
    const bool twin =
        std::ranges::any_of(out.zones, [&found](const RaplZone& zone) {
          return zone.domain.name == found.name;
        });
    if (twin) continue;
    auto zone = OpenZone(fs, host, found, now);
    if (zone) {
      out.zones.push_back(*std::move(zone));
      failed.erase(found.name);  // its twin could not be read; this one can
    } else if (IsOuter(found.component)) {
      failed.try_emplace(found.name, std::move(zone).error());
    }
  }
  MarkCounted(out.zones);
  if (!failed.empty()) out.failure = failed.begin()->second;
  return out;
}

bool Counts(const std::vector<RaplZone>& zones, std::string_view component) {
  return std::ranges::any_of(zones, [component](const RaplZone& zone) {
    return zone.domain.counted && zone.domain.component == component;
  });
}

Error WithHint(Error error) {
  error.hint =
      error.code == ErrorCode::kPermission ? kPermissionHint : kOtherHint;
  return error;
}

Result<std::vector<RaplZone>> UsableZones(const RootFs& fs,
                                          const HostFacts& host,
                                          MonotonicTime now) {
  auto found = FindZones(fs);
  if (!found) return Fail(WithHint(std::move(found).error()));
  Opened opened = OpenZones(fs, host, *found, now);
  // Half of a machine is worse than none: it looks like the whole.
  const bool platform = Counts(opened.zones, "platform");
  if (opened.failure && !platform)
    return Fail(WithHint(*std::move(opened.failure)));
  if (!platform && !Counts(opened.zones, "cpu"))
    return Fail(
        ErrorCode::kUnavailable,
        "no RAPL counters: " + std::string(kPowercap) + " has no package",
        host.virtual_machine
            ? "virtual machines do not see them; use --probe cpu-load"
            : "try: modprobe intel_rapl_msr (in a container: mount "
              "/sys/class/powercap)");
  return std::move(opened.zones);
}

std::string JoinCounted(const std::vector<RaplZone>& zones) {
  std::string text;
  for (const RaplZone& zone : zones)
    if (zone.domain.counted)
      text += (text.empty() ? "" : ", ") + zone.domain.name;
  return text;
}

Result<uint64_t> ReadCounter(KeptFile& file, const std::string& path,
                             std::string& buffer) {
  MODICUM_RETURN_IF_ERROR(file.ReadInto(buffer));
  uint64_t value = 0;
  const char* end = buffer.data() + buffer.size();
  const auto [stop, error] = std::from_chars(buffer.data(), end, value);
  if (error != std::errc() || (stop != end && *stop != '\n'))
    return Fail(ErrorCode::kRetry, path + " holds no unsigned integer");
  return value;
}

// What the sampler does next: a vanished zone will not come back.
Error ForSampler(Error error) {
  if (error.code == ErrorCode::kNotFound) error.code = ErrorCode::kEnded;
  if (error.code != ErrorCode::kEnded && error.code != ErrorCode::kPermission)
    error.code = ErrorCode::kRetry;
  return error;
}

}  // namespace

DomainDelta AdvanceZone(RaplZone& zone, uint64_t now_uj, MonotonicTime now) {
  const DomainDelta gap{Joules(0), true};
  const uint64_t last_uj = std::exchange(zone.last_uj, now_uj);
  const MonotonicTime last_at = std::exchange(zone.last_at, now);
  const bool based = std::exchange(zone.based, true);
  if (!based || now_uj > zone.range_uj || last_uj > zone.range_uj) return gap;
  const Joules most = zone.cap * (now - last_at + kJitter);
  // Longer than a full turn at full power: the count of wraps is unknown.
  if (most.value() * 1e6 > static_cast<double>(zone.range_uj)) return gap;
  const uint64_t delta_uj =
      now_uj >= last_uj ? now_uj - last_uj : zone.range_uj - last_uj + now_uj;
  const Joules energy(static_cast<double>(delta_uj) * 1e-6);
  if (energy > most) return gap;
  return {energy, false};
}

RaplProbe::RaplProbe(const RootFs& fs, std::vector<RaplZone> zones)
    : zones_(std::move(zones)) {
  for (const RaplZone& zone : zones_) {
    domains_.push_back(zone.domain);
    counters_.emplace_back(fs, zone.path);
    counters_.back().Open();
  }
}

Result<std::unique_ptr<Probe>> RaplProbe::Open(const RootFs& fs,
                                               const HostFacts& host,
                                               MonotonicTime now) {
  MODICUM_TRY(auto zones, UsableZones(fs, host, now));
  return std::unique_ptr<Probe>(new RaplProbe(fs, std::move(zones)));
}

ProbeReport RaplProbe::Report(const RootFs& fs, const HostFacts& host) {
  ProbeReport report;
  report.name = "rapl";
  const auto zones = UsableZones(fs, host, MonotonicTime{});
  report.usable = zones.has_value();
  if (zones) {
    report.covers = JoinCounted(*zones);
  } else {
    report.reason = zones.error().message;
    report.cure = zones.error().hint;
  }
  return report;
}

Result<std::vector<DomainDelta>> RaplProbe::Read(MonotonicTime now) {
  std::vector<DomainDelta> deltas;
  deltas.reserve(zones_.size());
  std::optional<Error> failure;
  size_t failures = 0;
  for (size_t i = 0; i < zones_.size(); ++i) {
    RaplZone& zone = zones_[i];
    auto value = ReadCounter(counters_[i], zone.path, buffer_);
    if (value) {
      deltas.push_back(AdvanceZone(zone, *value, now));
      continue;
    }
    zone.based = false;
    deltas.push_back({Joules(0), true});
    ++failures;
    if (!failure) failure = std::move(value).error();
  }
  if (failures == zones_.size()) return Fail(ForSampler(*std::move(failure)));
  return deltas;
}

std::vector<Share> RaplProbe::relative_errors() const {
  return {Share{InternSource("RAPL accuracy (assumed)"), kAccuracySd}};
}

}  // namespace modicum
