// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor_facts.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/format.h"
#include "hardware/calibration.h"
#include "model/engine.h"
#include "model/network_file.h"
#include "place/place_settings.h"
#include "record/ledger.h"

namespace modicum {
namespace {

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

Chosen ChooseSources(const Context& context, const HostFacts& host,
                     const std::optional<Calibration>& calibration) {
  Chosen chosen;
  const auto probes = OpenProbes(context.fs, host, context.settings.probe,
                                 context.clock.Now(), calibration);
  if (!probes) {
    chosen.error = probes.error();
    return chosen;
  }
  for (const auto& probe : *probes) {
    chosen.probes.emplace_back(probe->name());
    for (const Domain& domain : probe->domains())
      chosen.components.push_back(domain.component);
  }
  return chosen;
}

std::vector<SourceFacts> InspectSources(const Context& context,
                                        const HostFacts& host,
                                        const Chosen& chosen,
                                        ProbeReport calibration) {
  std::vector<SourceFacts> sources;
  const auto in_use = [&chosen](std::string_view name) {
    return std::find(chosen.probes.begin(), chosen.probes.end(), name) !=
           chosen.probes.end();
  };
  for (const ProbeKind& kind : ProbeKinds())
    sources.push_back({kind.report(context.fs, host), in_use(kind.name)});
  // Before the model of a typical machine, which it goes before.
  sources.insert(sources.end() - 1,
                 {std::move(calibration), in_use("wall-load")});
  return sources;
}

ProbeReport CalibrationReport(
    const Result<std::optional<Calibration>>& calibration) {
  ProbeReport report;
  report.name = "wall-load";
  report.usable = calibration && *calibration;
  if (!calibration) {
    report.reason = calibration.error().message;
    report.cure = calibration.error().hint;
  } else if (!*calibration) {
    report.reason = "this machine is not calibrated";
    report.cure = "with a wall meter: `modicum calibrate --help`";
  } else {
    const Calibration& c = **calibration;
    report.covers = fmt::format(
        "the whole machine at its plug, MODELLED from CPU time: {} idle, {} "
        "more for each busy CPU",
        FormatWithUnit(c.idle.value(), "W"),
        FormatWithUnit(c.per_cpu.value(), "W"));
    report.reason = fmt::format("1 sd {:.0f} % from {} loads, {}, {}",
                                100 * c.ln_sd, c.points, c.source, c.date);
  }
  return report;
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
  const auto calibration =
      ReadCalibration(context.settings.calibration, CalibrationKey(host));
  const Chosen chosen =
      ChooseSources(context, host, calibration ? *calibration : std::nullopt);
  return {host,
          PowerOf(host),
          InspectSources(context, host, chosen, CalibrationReport(calibration)),
          chosen.error,
          FindPlace(PlaceQueryOf(context.settings)),
          InspectLedger(context.settings.ledger),
          InspectFamilies(),
          NotCounted(host, chosen.components)};
}

}  // namespace modicum
