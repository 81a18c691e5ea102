// SPDX-License-Identifier: Apache-2.0
// The list of probes, and the choice among them.
#include <algorithm>
#include <array>

#include "base/suggest.h"
#include "probe/agent_probe.h"
#include "probe/cpu_load.h"
#include "probe/nvml.h"
#include "probe/probe.h"
#include "probe/rapl.h"

namespace modicum {
namespace {

// Best first: a counter before a model of the same component.
constexpr std::array kKinds = {
    ProbeKind{"rapl", RaplProbe::Open, RaplProbe::Report},
    ProbeKind{"agent", AgentProbe::Open, AgentProbe::Report},
    ProbeKind{"nvml", NvmlProbe::Open, NvmlProbe::Report},
    ProbeKind{"cpu-load", CpuLoadProbe::Open, CpuLoadProbe::Report},
};

// Of CpuLoadProbe::OpenCalibrated: no kind of its own, for it needs what was
// learned.
constexpr std::string_view kCalibrated = "wall-load";

tl::unexpected<Error> UnknownKind(std::string_view only) {
  std::vector<std::string_view> names;
  std::string list;
  for (const ProbeKind& kind : kKinds) {
    names.push_back(kind.name);
    list += (list.empty() ? "" : ", ") + std::string(kind.name);
  }
  names.push_back(kCalibrated);
  list += ", " + std::string(kCalibrated);
  return Fail(
      ErrorCode::kInvalidInput,
      "unknown probe '" + std::string(only) + "'" + DidYouMean(only, names),
      "probes: " + list + "; 'modicum doctor' says which can be used");
}

bool HoldsAll(const Domain& domain) {
  return domain.component == "platform" || domain.component == "wall";
}

// Whether `probe` counts something that one of `chosen` counts already.
bool Overlaps(const std::vector<std::unique_ptr<Probe>>& chosen,
              const Probe& probe) {
  for (const auto& other : chosen)
    for (const Domain& a : other->domains())
      for (const Domain& b : probe.domains())
        if (a.counted && b.counted &&
            (a.component == b.component || HoldsAll(a) || HoldsAll(b)))
          return true;
  return false;
}

}  // namespace

std::span<const ProbeKind> ProbeKinds() { return kKinds; }

Result<std::vector<std::unique_ptr<Probe>>> OpenProbes(
    const RootFs& fs, const HostFacts& host, std::string_view only,
    MonotonicTime now, const std::optional<Calibration>& calibration) {
  std::vector<std::unique_ptr<Probe>> probes;
  if (only == kCalibrated) {
    if (!calibration)
      return Fail(ErrorCode::kUnavailable, "this machine is not calibrated",
                  "`modicum calibrate --help` says how, with a wall meter");
    MODICUM_TRY(probes.emplace_back(),
                CpuLoadProbe::OpenCalibrated(fs, *calibration, now));
    return probes;
  }
  if (!only.empty()) {
    const auto kind = std::ranges::find(kKinds, only, &ProbeKind::name);
    if (kind == kKinds.end()) return UnknownKind(only);
    MODICUM_TRY(auto probe, kind->open(fs, host, now));
    probes.push_back(std::move(probe));
    return probes;
  }
  Error last{ErrorCode::kUnavailable, "no probe", ""};
  for (const ProbeKind& kind : kKinds) {
    const bool learned = calibration && kind.name == "cpu-load";
    auto probe = learned ? CpuLoadProbe::OpenCalibrated(fs, *calibration, now)
                         : kind.open(fs, host, now);
    if (!probe)
      last = std::move(probe).error();
    else if (!Overlaps(probes, **probe))
      probes.push_back(*std::move(probe));
  }
  if (probes.empty())
    return Fail(ErrorCode::kUnavailable,
                "nothing here can be metered: " + last.message, last.hint);
  return probes;
}

}  // namespace modicum
