// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor_facts.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>

#include "base/format.h"
#include "hardware/calibration.h"
#include "meter/cpu_weights.h"
#include "model/engine.h"
#include "model/network_file.h"
#include "place/place_settings.h"
#include "probe/rapl.h"
#include "record/ledger.h"

namespace modicum {
namespace {

// Long enough that a difference is none of updates.
constexpr Seconds kCompared{0.5};
// Counters show a new value every 0.1 s, or more often.
constexpr Seconds kWatched{0.5};

// The folder itself or the nearest one above it that is there.
std::filesystem::path ExistingFolder(std::filesystem::path folder) {
  std::error_code ignored;
  while (!folder.empty() && !std::filesystem::exists(folder, ignored) &&
         folder != folder.parent_path())
    folder = folder.parent_path();
  return folder.empty() ? "." : folder;
}

// Nothing there yet: can the first run make it?
LedgerFacts FutureLedger(const std::string& path) {
  const std::filesystem::path folder =
      ExistingFolder(std::filesystem::path(path).parent_path());
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(folder, ignored);
  if (is_folder && access(folder.c_str(), W_OK | X_OK) == 0)
    return {path, std::nullopt, std::nullopt};
  return {path, std::nullopt,
          Error{ErrorCode::kPermission,
                "cannot make a file in " + folder.string() + ": " +
                    (is_folder ? std::strerror(errno) : "not a folder"),
                "name another file with --ledger"}};
}

// The sources that OpenProbes() chose, and the components they meter.
struct Chosen {
  std::vector<std::string> probes;
  std::vector<std::string> components;
  std::optional<Error> error;
};

Chosen ChooseSources(const ProbeContext& context, std::string_view only) {
  Chosen chosen;
  const auto probes = OpenProbes(context, only);
  if (!probes) {
    chosen.error = probes.error();
    return chosen;
  }
  for (const auto& probe : *probes) {
    chosen.probes.emplace_back(probe->name());
    for (const Domain& domain : probe->domains())
      if (domain.counted) chosen.components.push_back(domain.component);
  }
  return chosen;
}

// The ways to the counters of RAPL that can be used, best first: what each
// makes of the same span unlike the best.
std::map<std::string, std::string> CompareRaplSources(ProbeContext context,
                                                      Clock& clock) {
  std::map<std::string, std::string> apart;
  std::vector<std::unique_ptr<Probe>> probes;
  context.now = clock.Now();
  for (const ProbeKind& kind : ProbeKinds()) {
    if (!kind.name.starts_with("rapl")) continue;
    if (auto probe = kind.open(context)) probes.push_back(*std::move(probe));
  }
  if (probes.size() < 2) return apart;
  clock.SleepUntil(context.now + kCompared);
  const MonotonicTime now = clock.Now();
  const auto by_best = probes.front()->Read(now);
  for (size_t i = 1; i < probes.size() && by_best; ++i)
    if (const auto deltas = probes[i]->Read(now))
      apart.emplace(probes[i]->name(), CompareRapl(*probes.front(), *by_best,
                                                   *probes[i], *deltas));
  return apart;
}

bool OnlyCounts(const Probe& probe) {
  return std::ranges::all_of(probe.domains(), [](const Domain& domain) {
    return domain.origin == Origin::kCounter;
  });
}

// By the name of the source. One that asks over a network has no pace of its
// own.
std::map<std::string, SeenUpdates> WatchCounters(const ProbeContext& context,
                                                 Clock& clock) {
  std::vector<std::unique_ptr<Probe>> counters;
  for (const ProbeKind& kind : ProbeKinds()) {
    auto probe = kind.open(context);
    if (probe && OnlyCounts(**probe) && (*probe)->update_period() <= kWatched)
      counters.push_back(*std::move(probe));
  }
  const auto seen = WatchUpdates(counters, clock, kWatched);
  std::map<std::string, SeenUpdates> by_name;
  for (size_t i = 0; i < counters.size(); ++i)
    by_name.emplace(counters[i]->name(), seen[i]);
  return by_name;
}

std::vector<SourceFacts> InspectSources(const ProbeContext& context,
                                        const Chosen& chosen, Clock& clock) {
  std::vector<SourceFacts> sources;
  const auto apart = CompareRaplSources(context, clock);
  const auto updates = WatchCounters(context, clock);
  for (const ProbeKind& kind : ProbeKinds()) {
    SourceFacts source{kind.report(context),
                       std::find(chosen.probes.begin(), chosen.probes.end(),
                                 kind.name) != chosen.probes.end()};
    if (const auto seen = updates.find(source.report.name);
        seen != updates.end())
      source.updates = seen->second;
    std::string& reason = source.report.reason;
    const auto found = apart.find(source.report.name);
    if (found != apart.end() && !found->second.empty())
      reason = "differs by more than 10 %: " + found->second;
    if (source.report.usable && !source.in_use && reason.empty())
      reason = "what it covers is counted by another source";
    sources.push_back(std::move(source));
  }
  return sources;
}

// What no sensor shows: off until it is asked for.
void InspectModels(const ProbeContext& context, const Chosen& chosen,
                   std::vector<SourceFacts>& sources) {
  for (const ModelKind& model : ModelKinds()) {
    SourceFacts source{model.kind.report(context),
                       std::find(chosen.probes.begin(), chosen.probes.end(),
                                 model.kind.name) != chosen.probes.end()};
    const bool asked =
        std::find(context.modelled.begin(), context.modelled.end(),
                  model.part) != context.modelled.end();
    if (source.report.usable && asked && !source.in_use)
      source.report.reason = "what it covers is counted by another source";
    if (source.report.usable && !asked) {
      source.report.reason = "off until it is asked for";
      source.report.cure = "--modelled " + std::string(model.part);
    }
    sources.push_back(std::move(source));
  }
}

std::optional<HourlyFacts> InspectHourly(const Context& context) {
  const std::string& name = context.settings.intensity_file;
  if (name.empty()) return std::nullopt;
  auto series =
      HourlyIntensity::Read(name, context.settings.data_dir, context.clock);
  if (!series) return HourlyFacts{name, {}, {}, series.error()};
  HourlyFacts facts{name, *std::move(series), {}, {}};
  const EnergySlice now{context.clock.WallNow(), Seconds(0), Joules(1)};
  const auto paid = facts.series->PaidFor({&now, 1}, {});
  if (paid.figures.outside == 0) facts.now = paid.mean;
  return facts;
}

std::vector<FamilyFacts> InspectFamilies() {
  std::vector<FamilyFacts> families;
  for (const std::string_view family : Families()) {
    FamilyFacts& facts = families.emplace_back();
    facts.family = family;
    if (RunsNetwork(family)) {
      if (const Result<NeuralEngine*> engine = FindNeuralEngine()) {
        facts.engine = (*engine)->name();
        facts.version = (*engine)->version();
      } else {
        facts.error = engine.error();
      }
    } else if (const Result<Engine*> engine = EngineOf(family)) {
      facts.engine = (*engine)->name();
      facts.version = (*engine)->version();
    } else {
      facts.error = engine.error();
    }
  }
  return families;
}

}  // namespace

LedgerFacts InspectLedger(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return FutureLedger(path);
  const auto ledger = Ledger::Open(path);
  if (!ledger) return {path, std::nullopt, ledger.error()};
  const auto runs = (*ledger)->Runs({});
  if (!runs) return {path, std::nullopt, runs.error()};
  return {path, runs->size(), std::nullopt};
}

DoctorFacts GatherFacts(const Context& context) {
  const HostFacts host = DetectHost(context.fs);
  const ProbeContext sources{
      context.fs,
      host,
      context.clock.Now(),
      ReadCalibration(context.settings.calibration, CalibrationKey(host)),
      {},
      context.settings.modelled};
  const Chosen chosen = ChooseSources(sources, context.settings.probe);
  std::vector<SourceFacts> inspected =
      InspectSources(sources, chosen, context.clock);
  InspectModels(sources, chosen, inspected);
  return {host,
          PowerOf(host),
          std::move(inspected),
          chosen.error,
          FindPlace(PlaceQueryOf(context.settings)),
          InspectHourly(context),
          InspectLedger(context.settings.ledger),
          InspectFamilies(),
          NotCounted(host, chosen.components),
          CpuWeights(context.fs).known()};
}

}  // namespace modicum
