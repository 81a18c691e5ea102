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
#include "probe/disk_model.h"
#include "probe/hwmon.h"
#include "probe/network_model.h"
#include "probe/nvml.h"
#include "probe/probe.h"
#include "probe/ram_model.h"
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

constexpr std::array kModels = {
    ModelKind{"ram", {"ram-model", OpenRamModel, ReportRamModel}},
    ModelKind{"disk", {"disk-model", OpenDiskModel, ReportDiskModel}},
    ModelKind{"network",
              {"network-model", OpenNetworkModel, ReportNetworkModel}},
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

bool CountedTwice(const std::vector<Domain>& counted,
                  const std::vector<Domain>& before) {
  return std::ranges::any_of(counted, [&before](const Domain& a) {
    return std::ranges::any_of(
        before, [&a](const Domain& b) { return Overlaps(a, b); });
  });
}

// Never empty on success.
Result<std::vector<std::unique_ptr<Probe>>> OpenSensors(
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
    if (CountedTwice(counted, rest.counted)) continue;
    std::ranges::move(counted, std::back_inserter(rest.counted));
    probes.push_back(*std::move(probe));
  }
  if (probes.empty())
    return Fail(ErrorCode::kUnavailable,
                "nothing here can be metered: " + last.message, last.hint);
  return probes;
}

bool IsAskedFor(const ProbeContext& context, const ModelKind& model) {
  return std::ranges::find(context.modelled, model.part) !=
         context.modelled.end();
}

}  // namespace

bool Overlaps(const Domain& a, const Domain& b) {
  const auto disk_and_module = [](const Domain& x, const Domain& y) {
    return x.component == "disk" && y.component == "module";
  };
  if (disk_and_module(a, b) || disk_and_module(b, a)) return false;
  if (HoldsAll(a) || HoldsAll(b)) return true;
  return a.component == b.component &&
         (a.device.empty() || b.device.empty() || a.device == b.device);
}

std::span<const ProbeKind> ProbeKinds() { return kKinds; }

std::span<const ModelKind> ModelKinds() { return kModels; }

Result<std::vector<std::unique_ptr<Probe>>> OpenProbes(
    const ProbeContext& context, std::string_view only) {
  MODICUM_TRY(auto probes, OpenSensors(context, only));
  std::vector<Domain> counted;
  for (const auto& probe : probes)
    std::ranges::move(CountedOf(*probe), std::back_inserter(counted));
  for (const ModelKind& model : kModels) {
    if (!IsAskedFor(context, model)) continue;
    auto probe = model.kind.open(context);
    if (!probe && probe.error().code == ErrorCode::kUnavailable) continue;
    if (!probe) return Fail(std::move(probe).error());
    if (!CountedTwice(CountedOf(**probe), counted))
      probes.push_back(*std::move(probe));
  }
  return probes;
}

}  // namespace modicum
