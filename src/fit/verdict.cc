// SPDX-License-Identifier: Apache-2.0
#include "fit/verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/format.h"
#include "fit/fit.h"
#include "record/quality_text.h"

namespace modicum {
namespace {

std::string NoChoice(const FitResult& result) {
  const CandidateRow* best = nullptr;
  const bool higher = !LowerIsBetter(result.metric);
  for (const CandidateRow& row : result.rows) {
    if (!row.validation) continue;
    if (best == nullptr ||
        (higher ? row.validation->mid > best->validation->mid
                : row.validation->mid < best->validation->mid))
      best = &row;
  }
  if (best == nullptr)
    return "No candidate could be trained and measured; the table says why.";
  return fmt::format(
      "No candidate is good enough ({}). The best reachable was {} with {} on "
      "{} validation items.",
      result.requirement, best->name, FormatQualityFigure(*best->validation),
      best->validation->items);
}

std::string ChoiceSentence(const FitResult& result,
                           const std::string& majority_answer) {
  const CandidateRow& chosen = *FindRow(result, result.chosen);
  if (chosen.family == "majority")
    return fmt::format(
        "No model is needed: answering '{}' every time is good enough ({}).",
        majority_answer, result.requirement);
  if (result.chosen == result.baseline)
    return result.baseline_rule == "named by current"
               ? fmt::format(
                     "Leave it alone: {} is the cheapest that is good enough.",
                     result.chosen)
               : fmt::format(
                     "{} is the most accurate and the cheapest that is good "
                     "enough.",
                     result.chosen);
  std::string text = fmt::format("{} is the cheapest that is good enough ({})",
                                 result.chosen, result.requirement);
  if (result.cpu_ratio)
    text += fmt::format(": {} needs {} its CPU time (measured)",
                        result.baseline, FormatRatio(*result.cpu_ratio));
  if (result.energy_ratio)
    text += fmt::format(" and {} its energy ({})",
                        FormatRatio(*result.energy_ratio),
                        OriginName(result.energy_ratio->origin));
  return text + ".";
}

// Why nothing cheaper was chosen: the most accurate of the cheaper ones.
std::string CheaperSentence(const FitResult& result) {
  const CandidateRow& chosen = *FindRow(result, result.chosen);
  if (!chosen.joules_per_1000) return {};
  const bool higher = !LowerIsBetter(result.metric);
  const CandidateRow* nearest = nullptr;
  for (const CandidateRow& row : result.rows) {
    if (row.feasible || !row.validation || !row.joules_per_1000 ||
        row.joules_per_1000->mid >= chosen.joules_per_1000->mid)
      continue;
    if (nearest == nullptr ||
        (row.validation->mid > nearest->validation->mid) == higher)
      nearest = &row;
  }
  if (nearest == nullptr) return {};
  return fmt::format(" The best of the cheaper ones, {}, {}.", nearest->name,
                     nearest->reason);
}

std::string PaybackSentence(const FitResult& result) {
  if (result.chosen == result.baseline) return {};
  if (!result.payback)
    return fmt::format(" Payback against {}: {}.", result.baseline,
                       result.payback_reason);
  std::string text =
      fmt::format(" The search is repaid after {} predictions {}",
                  FormatNumber(result.payback->mid),
                  FormatInterval({result.payback->low, result.payback->high}));
  if (result.volume <= 0) return text + ".";
  const double months = result.payback->mid / result.volume;
  if (months > kPlannedMonths)
    return text + fmt::format(
                      ", which takes {} months at this volume: where {} "
                      "already runs, nothing pays back and it is best left "
                      "alone.",
                      FormatNumber(months), result.baseline);
  return text +
         fmt::format(", {} at this volume.", FormatDuration(kMonth * months));
}

}  // namespace

std::string RequirementText(const Metric& metric,
                            const Requirement& requirement) {
  const std::string name(metric.name());
  if (requirement.floor)
    return fmt::format("{} {} {}", name,
                       metric.higher_is_better() ? "at least" : "at most",
                       FormatQuality(name, *requirement.floor));
  return fmt::format("{} within {} of the best", name,
                     FormatQualityLoss(name, requirement.within.value_or(0)));
}

std::string VerdictText(const FitResult& result,
                        const std::string& majority_answer) {
  if (result.chosen.empty()) return NoChoice(result);
  std::string text = ChoiceSentence(result, majority_answer);
  text += CheaperSentence(result);
  text += PaybackSentence(result);
  if (!result.established)
    text +=
        " The claim is not established on the test items; the notes say what "
        "would be needed.";
  return text;
}

}  // namespace modicum
