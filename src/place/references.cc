// SPDX-License-Identifier: Apache-2.0
// data/power_hungry.csv and data/published_energy.csv say how each figure came
// about; here they become joules with their intervals.
#include "place/references.h"

#include <fmt/format.h>

#include <cmath>

#include "base/csv.h"
#include "base/estimate.h"
#include "base/units.h"
#include "data/power_hungry.h"
#include "data/published_energy.h"

namespace modicum {
namespace {

// What the study's logs have for a kilowatt-hour, in every row.
constexpr double kLoggedGramsPerKilowattHour = 138.7;
// Of ten repeats of one model on one data set, the coefficient of variation's
// 90th percentile in the same logs.
constexpr double kRepeatSd = 0.03;
// The one GPU's share is computed with the mean of each task; over all tasks
// but image generation it runs from 12 to 19 %: 1 sd, on a log scale.
constexpr double kShareSd = 0.14;
// The upper quartile of a normal distribution.
constexpr double kZQuartile = 0.6744897501960817;

constexpr std::string_view kStudy =
    "Luccioni et al. 2024, Power Hungry Processing, raw logs";
constexpr std::string_view kStudyDate = "2023";
constexpr std::string_view kNode =
    "node of 8 A100, RAM as a constant 431 W, CPU as 42.5 W";

double JoulesPer1000(double watt_hours) {
  return KilowattHours(watt_hours / 1000).value();
}

// 90 % interval of a median with an error of `sd` of its logarithm.
Reference WithSd(Reference reference, double sd) {
  reference.low = reference.joules_per_1000 * std::exp(-kZ90 * sd);
  reference.high = reference.joules_per_1000 * std::exp(kZ90 * sd);
  return reference;
}

struct Study {
  const EmbeddedTable& table;
  size_t row;

  const std::string& at(std::string_view column) const {
    return table.at(row, column);
  }
  bool mean() const { return at("way") == "mean"; }
  double watt_hours() const {
    const auto measured = table.number(row, "wh");
    if (measured) return *measured;
    return table.number(row, "g").value() / kLoggedGramsPerKilowattHour * 1000;
  }
  // Between models for a mean, between repeats for a model.
  double sd() const {
    if (!mean()) return kRepeatSd;
    return table.number(row, "wh_sd").value() / watt_hours();
  }
};

std::string SourceOf(const Study& row) {
  std::string source(kStudy);
  const std::string& quality = row.at("quality");
  if (!quality.empty())
    source += fmt::format("; {} {} on {}", row.at("metric"), quality,
                          row.at("dataset"));
  return source;
}

Reference NodeFigure(const Study& row, double gpu_share) {
  Reference out;
  out.name = row.at("name") + ", " + row.at("way");
  out.joules_per_1000 = JoulesPer1000(row.watt_hours());
  out.scope = fmt::format("{}; about {:.0f} % of it the GPU that worked", kNode,
                          100 * gpu_share);
  out.source = SourceOf(row);
  out.date = kStudyDate;
  return WithSd(std::move(out), row.sd());
}

// The same figure without the seven GPUs that stood idle beside it.
Reference GpuFigure(const Reference& node, double gpu_share) {
  Reference out = node;
  out.name += ", its GPU alone";
  out.joules_per_1000 *= gpu_share;
  out.scope = "one A100, computed from the figure of its node";
  out.planned = true;
  return WithSd(std::move(out), std::hypot(kShareSd, kRepeatSd));
}

void AddStudy(std::string_view kind, std::vector<Reference>& out) {
  static const auto* table = new EmbeddedTable(kPowerHungryCsv);
  double gpu_share = 0;  // a task's mean comes first and tells
  for (size_t i = 0; i < table->size(); ++i) {
    const Study row{*table, i};
    if (row.at("task") != kind) continue;
    if (row.mean()) gpu_share = table->number(i, "gpu_share").value();
    if (row.at("shown").empty()) continue;
    out.push_back(NodeFigure(row, gpu_share));
    if (row.at("shown") == "gpu")
      out.push_back(GpuFigure(out.back(), gpu_share));
  }
}

void AddAssistants(std::vector<Reference>& out) {
  static const auto* table = new EmbeddedTable(kPublishedEnergyCsv);
  for (size_t i = 0; i < table->size(); ++i) {
    Reference row;
    row.name = table->at(i, "name");
    row.joules_per_1000 = JoulesPer1000(1000 * table->number(i, "wh").value());
    row.scope = table->at(i, "scope");
    row.source = table->at(i, "source");
    row.date = table->at(i, "date");
    row.planned = table->at(i, "computed") == "yes";
    const auto q1 = table->number(i, "q1_wh");
    const auto q3 = table->number(i, "q3_wh");
    if (q1 && q3)
      row = WithSd(std::move(row), std::log(*q3 / *q1) / (2 * kZQuartile));
    out.push_back(std::move(row));
  }
}

}  // namespace

std::vector<Reference> ReferencesFor(std::string_view kind) {
  std::vector<Reference> out;
  AddStudy(kind, out);
  AddAssistants(out);
  return out;
}

}  // namespace modicum
