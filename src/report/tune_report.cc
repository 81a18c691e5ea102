// SPDX-License-Identifier: Apache-2.0
#include "report/tune_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/terminal.h"
#include "record/json.h"
#include "report/fit_rows.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

std::string SettingsText(const std::map<std::string, std::string>& settings) {
  if (settings.empty()) return "the defaults";
  std::string text;
  for (const auto& [name, value] : settings)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, value);
  return text;
}

std::string FigureText(const TuneFigure& figure) {
  return fmt::format(
      "{} per 1,000 tokens, {} of CPU time; {} tokens a second; a request p50 "
      "{}, p95 {}",
      EstimateText(figure.joules_per_1000_tokens),
      EstimateText(figure.cpu_per_1000_tokens),
      FormatNumber(figure.tokens_per_second),
      FormatWithUnit(figure.p50.value(), "s"),
      FormatWithUnit(figure.p95.value(), "s"));
}

Table TrialTable(const TuneResult& result) {
  Table table({{"setting", Align::kLeft},
               {"joules to the best before [90 %]", Align::kLeft},
               {"p95", Align::kLeft},
               {"pairs", Align::kRight},
               {"verdict", Align::kLeft}});
  for (const TuneTrial& trial : result.trials)
    table.AddRow({trial.change, trial.ratio ? FormatRatio(*trial.ratio) : "-",
                  trial.ratio ? FormatWithUnit(trial.p95.value(), "s") : "-",
                  std::to_string(trial.pairs),
                  trial.kept ? "kept" : trial.reason});
  return table;
}

Json FigureJson(const TuneFigure& figure) {
  return {{"joules_per_1000_tokens",
           ToJson(figure.joules_per_1000_tokens, JsonStyle::kReadable)},
          {"cpu_seconds_per_1000_tokens",
           ToJson(figure.cpu_per_1000_tokens, JsonStyle::kReadable)},
          {"p50_seconds", figure.p50.value()},
          {"p95_seconds", figure.p95.value()},
          {"tokens_per_second", figure.tokens_per_second}};
}

Json TrialJson(const TuneTrial& trial) {
  Json json = {{"change", trial.change}, {"ratio", nullptr},
               {"p95_seconds", nullptr}, {"pairs", trial.pairs},
               {"kept", trial.kept},     {"reason", trial.reason}};
  if (!trial.ratio) return json;
  json["ratio"] = ToJson(*trial.ratio, JsonStyle::kReadable);
  json["p95_seconds"] = trial.p95.value();
  return json;
}

}  // namespace

std::string FormatTune(const TuneResult& result) {
  std::string text;
  const auto line = [&text](std::string_view label, std::string_view what) {
    text += fmt::format("{:<10} {}\n", label, what);
  };
  line("network", result.network);
  line("workload",
       fmt::format("{}; a request takes at most {} (p95)", result.workload,
                   FormatWithUnit(result.p95_limit.value(), "s")));
  text += "\n" + TrialTable(result).Text("    ") + "\n";
  line("found", SettingsText(result.settings));
  line("defaults", FigureText(result.before));
  line("found", FigureText(result.after));
  line("ratio",
       fmt::format("the defaults need {} the energy ({}) and {} the CPU time "
                   "(measured), in turn on the same requests",
                   FormatRatio(result.energy_ratio),
                   OriginName(result.energy_ratio.origin),
                   FormatRatio(result.speed_per_cpu)));
  if (result.contended > 0)
    line("contended",
         fmt::format("{} pairs of repeats during which others used the "
                     "machine were set aside",
                     result.contended));
  line("spent", fmt::format("{} in {}", FormatEstimate(result.spent),
                            FormatDuration(result.wall)));
  for (const std::string& missing : result.missing) line("missing", missing);
  return text;
}

std::string FormatTuneJson(const TuneResult& result) {
  Json trials = Json::array();
  for (const TuneTrial& trial : result.trials)
    trials.push_back(TrialJson(trial));
  return ReadableText(
      Json{{"network", result.network},
           {"workload", result.workload},
           {"host", ToJson(result.host, JsonStyle::kReadable)},
           {"settings", result.settings},
           {"trials", trials},
           {"defaults", FigureJson(result.before)},
           {"found", FigureJson(result.after)},
           {"energy_ratio", ToJson(result.energy_ratio, JsonStyle::kReadable)},
           {"cpu_ratio", ToJson(result.speed_per_cpu, JsonStyle::kReadable)},
           {"p95_limit_seconds", result.p95_limit.value()},
           {"contended_pairs", result.contended},
           {"spent", ToJson(result.spent, JsonStyle::kReadable)},
           {"wall_seconds", result.wall.value()},
           {"missing", result.missing}});
}

}  // namespace modicum
