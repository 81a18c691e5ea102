// SPDX-License-Identifier: Apache-2.0
#include "report/train_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/terminal.h"
#include "record/quality_text.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

std::string HeadText(const TrainResult& result) {
  std::string text = result.kind;
  if (result.labels > 0) text += fmt::format(" of {} tags", result.labels);
  return text + fmt::format(", learned from {} example{}",
                            FormatCount(result.examples),
                            result.examples == 1 ? "" : "s");
}

std::string NetworkText(const TrainResult& result) {
  std::string text = fmt::format("{} and {}: {} parameters", result.network,
                                 result.head, FormatCount(result.parameters));
  if (!result.base.empty())
    text += fmt::format("; the body {} {}",
                        result.frozen ? "of" : "began as that of", result.base);
  return text;
}

std::string EpochsText(const TrainResult& result) {
  if (result.epochs.empty()) return "all were done before";
  const auto& best =
      *std::ranges::max_element(result.epochs, {}, &TrainEpoch::quality);
  return fmt::format("{}; the best here was {}: {} {} on the validation data",
                     result.epochs.back().number, best.number, result.metric,
                     FormatQuality(result.metric, best.quality));
}

void AddFigure(const TrainFigure& figure, Table& table) {
  table.AddRow(
      {figure.network.split, FormatQualityFigure(figure.network),
       FormatQualityFigure(figure.baseline),
       fmt::format("{} [{}, {}]",
                   FormatQualityLoss(figure.network.metric, figure.difference),
                   fmt::format("{:.1f}", 100 * figure.interval.low),
                   fmt::format("{:.1f}", 100 * figure.interval.high)),
       FormatCount(figure.network.items)});
}

std::string VerdictText(const TrainResult& result) {
  const TrainFigure& figure = result.test ? *result.test : result.validation;
  if (figure.beats_baseline()) return "better than the baseline, beyond doubt";
  if (figure.interval.high < 0)
    return "worse than the baseline, beyond doubt: that needs no training";
  return "the baseline does as well: that the network is better is not "
         "established";
}

Json IntervalOf(const QualityFigure& figure) {
  return {{"value", figure.mid},
          {"low", figure.low},
          {"high", figure.high},
          {"items", figure.items}};
}

Json FigureOf(const TrainFigure& figure) {
  return {{"network", IntervalOf(figure.network)},
          {"baseline", IntervalOf(figure.baseline)},
          {"difference",
           {{"value", figure.difference},
            {"low", figure.interval.low},
            {"high", figure.interval.high}}},
          {"beats_baseline", figure.beats_baseline()}};
}

}  // namespace

std::string FormatTrain(const TrainResult& result) {
  std::string text;
  const auto line = [&text](std::string_view label, std::string_view what) {
    text += fmt::format("{:<10} {}\n", label, what);
  };
  line("head", HeadText(result));
  line("network", NetworkText(result));
  line("epochs", EpochsText(result));
  line("baseline", result.baseline);
  Table table({{"data", Align::kLeft},
               {result.metric + " [95 %]", Align::kLeft},
               {"baseline [95 %]", Align::kLeft},
               {"difference [90 %]", Align::kLeft},
               {"items", Align::kRight}});
  AddFigure(result.validation, table);
  if (result.test) AddFigure(*result.test, table);
  text += "\n" + table.Text("    ") + "\n";
  line("verdict", VerdictText(result));
  if (!result.test)
    line("note",
         "the validation data chose the epoch, so its figure flatters: name "
         "test data");
  for (const std::string& note : result.notes) line("note", note);
  return text;
}

Json TrainJson(const TrainResult& result) {
  Json epochs = Json::array();
  for (const TrainEpoch& epoch : result.epochs)
    epochs.push_back({{"number", epoch.number},
                      {"loss", epoch.loss},
                      {"quality", epoch.quality}});
  return {{"name", result.name},
          {"kind", result.kind},
          {"network", result.network},
          {"head", result.head},
          {"base", result.base.empty() ? Json() : Json(result.base)},
          {"frozen", result.frozen},
          {"parameters", result.parameters},
          {"tags", result.labels},
          {"examples", result.examples},
          {"metric", result.metric},
          {"baseline", result.baseline},
          {"epochs", epochs},
          {"validation", FigureOf(result.validation)},
          {"test", result.test ? FigureOf(*result.test) : Json()},
          {"notes", result.notes}};
}

}  // namespace modicum
