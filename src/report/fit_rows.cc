// SPDX-License-Identifier: Apache-2.0
#include "report/fit_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace modicum {
namespace {

constexpr size_t kFew = 12;
// Each is one that the task names: what came of it is shown.
constexpr std::string_view kEndpoints = "remote";

// Of one family: the cheapest that is good enough, else the most accurate.
bool Better(const CandidateRow& a, const CandidateRow& b) {
  if (a.feasible != b.feasible) return a.feasible;
  if (a.feasible && a.joules_per_1000 && b.joules_per_1000)
    return a.joules_per_1000->mid < b.joules_per_1000->mid;
  const auto& qa = ComparedQuality(a);
  const auto& qb = ComparedQuality(b);
  if (!qa || !qb) return qa.has_value();
  return LowerIsBetter(qa->metric) ? qa->mid < qb->mid : qa->mid > qb->mid;
}

using Best = std::map<std::string, const CandidateRow*>;

Best BestOfFamilies(const FitResult& result) {
  Best best;
  for (const CandidateRow& row : result.rows) {
    if (row.reference) continue;
    const CandidateRow*& known = best[row.family];
    if (known == nullptr || Better(row, *known)) known = &row;
  }
  return best;
}

}  // namespace

std::vector<const CandidateRow*> KeyRows(const FitResult& result) {
  const auto tried =
      std::count_if(result.rows.begin(), result.rows.end(),
                    [](const CandidateRow& row) { return !row.reference; });
  const bool all = static_cast<size_t>(tried) <= kFew;
  const Best best = BestOfFamilies(result);
  std::vector<const CandidateRow*> rows;
  for (const CandidateRow& row : result.rows)
    if (all || row.reference || row.pareto || row.name == result.chosen ||
        row.name == result.baseline || row.family == kEndpoints ||
        best.at(row.family) == &row)
      rows.push_back(&row);
  return rows;
}

const std::optional<QualityFigure>& ComparedQuality(const CandidateRow& row) {
  return row.validation ? row.validation : row.quality;
}

std::string MeasuredText(const std::string& text, bool by_which) {
  const size_t origin = text.rfind(' ') + 1;
  return text.substr(0, origin) + "measured" +
         (by_which ? " (" + text.substr(origin) + ")" : "");
}

Mark MarkOf(const FitResult& result, const CandidateRow& row) {
  if (row.reference) return row.planned ? Mark::kPlanned : Mark::kPublished;
  if (row.name == result.chosen) return Mark::kChosen;
  return row.feasible ? Mark::kGoodEnough : Mark::kFails;
}

std::string EnergyText(const CandidateRow& row) {
  if (!row.joules_per_1000) return "not measured";
  if (!row.reference) return EstimateText(*row.joules_per_1000);
  // The origin is the source's affair; ours says only "assumed".
  std::string text = EstimateText(*row.joules_per_1000);
  text.erase(text.rfind(' '));
  text += row.planned ? " planned" : " published";
  return row.scope_note.empty() ? text : text + ", " + row.scope_note;
}

std::string ShortEnergyText(const CandidateRow& row) {
  return row.joules_per_1000
             ? FormatWithUnit(row.joules_per_1000->mid.value(), "J")
             : "-";
}

std::string WattHours(const Estimate<Joules>& energy) {
  constexpr double kJoules = 3600;  // in a watt-hour
  const Interval ends = energy.interval();
  return internal::FormatEstimateText(energy.mid.value() / kJoules,
                                      {ends.low / kJoules, ends.high / kJoules},
                                      "Wh", energy.origin, 2);
}

}  // namespace modicum
