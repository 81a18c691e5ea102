// SPDX-License-Identifier: Apache-2.0
// The list of probes, and the choice among them.
#include <algorithm>
#include <array>
#include <iterator>

#include "base/suggest.h"
#include "probe/agent_probe.h"
#include "probe/amd_smi.h"
#include "probe/battery.h"
#include "probe/bmc_probe.h"
#include "probe/cpu_load.h"
#include "probe/hwmon.h"
#include "probe/nvml.h"
#include "probe/probe.h"
#include "probe/rapl.h"
#include "probe/rapl_msr.h"
#include "probe/rapl_perf.h"

namespace modicum {
namespace {

// Best first: a counter before a sensor before a model of the same component.
constexpr std::array kKinds = {
    ProbeKind{"rapl-perf", OpenRaplPerf, ReportRaplPerf},
    ProbeKind{"rapl", OpenRapl, ReportRapl},
    ProbeKind{"rapl-msr", OpenRaplMsr, ReportRaplMsr},
    ProbeKind{"agent", AgentProbe::Open, AgentProbe::Report},
    ProbeKind{"nvml", NvmlProbe::Open, NvmlProbe::Report},
    ProbeKind{"amd-smi", OpenAmdSmi, ReportAmdSmi},
    ProbeKind{"hwmon", OpenHwmon, ReportHwmon},
    ProbeKind{"redfish", OpenRedfish, ReportRedfish},
    ProbeKind{"ipmi", OpenIpmi, ReportIpmi},
    ProbeKind{"battery", OpenBattery, ReportBattery, false},
    ProbeKind{"wall-load", CpuLoadProbe::OpenCalibrated,
              CpuLoadProbe::ReportCalibrated},
    ProbeKind{"cpu-load", CpuLoadProbe::Open, CpuLoadProbe::Report},
};

tl::unexpected<Error> UnknownKind(std::string_view only) {
  std::vector<std::string_view> names;
  std::string list;
  for (const ProbeKind& kind : kKinds) {
    names.push_back(kind.name);
    list += (list.empty() ? "" : ", ") + std::string(kind.name);
  }
  return Fail(
      ErrorCode::kInvalidInput,
      "unknown probe '" + std::string(only) + "'" + DidYouMean(only, names),
      "probes: " + list + "; 'modicum doctor' says which can be used");
}

bool HoldsAll(const Domain& domain) {
  return domain.component == "platform" || domain.component == "wall" ||
         domain.component == "module";
}

std::vector<Domain> CountedOf(const Probe& probe) {
  std::vector<Domain> counted;
  for (const Domain& domain : probe.domains())
    if (domain.counted) counted.push_back(domain);
  return counted;
}

}  // namespace

bool Overlaps(const Domain& a, const Domain& b) {
  if (HoldsAll(a) || HoldsAll(b)) return true;
  return a.component == b.component &&
         (a.device.empty() || b.device.empty() || a.device == b.device);
}

std::span<const ProbeKind> ProbeKinds() { return kKinds; }

Result<std::vector<std::unique_ptr<Probe>>> OpenProbes(
    const ProbeContext& context, std::string_view only) {
  std::vector<std::unique_ptr<Probe>> probes;
  if (!only.empty()) {
    const auto kind = std::ranges::find(kKinds, only, &ProbeKind::name);
    if (kind == kKinds.end()) return UnknownKind(only);
    MODICUM_TRY(probes.emplace_back(), kind->open(context));
    return probes;
  }
  Error last{ErrorCode::kUnavailable, "no probe", ""};
  ProbeContext rest = context;
  for (const ProbeKind& kind : kKinds) {
    if (!kind.by_default) continue;
    auto probe = kind.open(rest);
    if (!probe) {
      last = std::move(probe).error();
      continue;
    }
    std::vector<Domain> counted = CountedOf(**probe);
    const bool twice = std::ranges::any_of(counted, [&](const Domain& a) {
      return std::ranges::any_of(
          rest.counted, [&a](const Domain& b) { return Overlaps(a, b); });
    });
    if (twice) continue;
    std::ranges::move(counted, std::back_inserter(rest.counted));
    probes.push_back(*std::move(probe));
  }
  if (probes.empty())
    return Fail(ErrorCode::kUnavailable,
                "nothing here can be metered: " + last.message, last.hint);
  return probes;
}

}  // namespace modicum
