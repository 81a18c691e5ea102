// SPDX-License-Identifier: Apache-2.0
#include "fit/choose.h"

#include <fmt/format.h>

#include "record/quality_text.h"

namespace modicum {
namespace {

bool HasScores(const Contender& contender) {
  return contender.failure.empty() && !contender.scores.empty();
}

// a is cheaper than b; a missing cost is dearest.
bool Cheaper(const Contender& a, const Contender& b) {
  if (!a.joules_per_1000) return false;
  return !b.joules_per_1000 || a.joules_per_1000->mid < b.joules_per_1000->mid;
}

std::optional<size_t> Best(const Metric& metric,
                           const std::vector<Contender>& contenders) {
  std::optional<size_t> best;
  double best_value = 0;
  const double sign = metric.sign();
  for (size_t i = 0; i < contenders.size(); ++i) {
    if (!HasScores(contenders[i])) continue;
    const double value = sign * metric.Aggregate(contenders[i].scores);
    if (!best || value > best_value ||
        (value == best_value && Cheaper(contenders[i], contenders[*best]))) {
      best = i;
      best_value = value;
    }
  }
  return best;
}

Judgement JudgeFloor(const Metric& metric, const Contender& contender,
                     double floor) {
  const QualityFigure quality =
      QualityOf(metric, contender.scores, "validation");
  const bool higher = metric.higher_is_better();
  if (MeetsFloor(metric, quality, floor)) return {true, true, "good enough"};
  const double end = higher ? quality.low : quality.high;
  return {false, false,
          fmt::format("fails: {} end {} {} {}", higher ? "lower" : "upper",
                      FormatQuality(metric.name(), end), higher ? "<" : ">",
                      FormatQuality(metric.name(), floor))};
}

// "30.2 pt worse"; "2.2 pt worse (not established)" where it may be within the
// margin; "0.4 pt worse, perhaps 1.1 pt" where it may be outside.
std::string LossText(const Metric& metric, const Comparison& comparison,
                     double margin) {
  std::string text =
      FormatQualityLoss(metric.name(), -comparison.difference) + " worse";
  if (comparison.difference >= -margin)
    return text + ", perhaps " +
           FormatQualityLoss(metric.name(), -comparison.interval.low);
  return comparison.interval.high < -margin ? text
                                            : text + " (not established)";
}

Judgement JudgeMargin(const Metric& metric, const Contender& contender,
                      const Contender& best, double margin) {
  const Comparison comparison =
      Compare(metric, contender.scores, best.scores, margin);
  if (comparison.non_inferior) return {true, true, "good enough"};
  // These items cannot see a loss as small as the margin: a bound would
  // refuse everything but the best, so the point estimate decides, labelled.
  if (comparison.smallest_detectable > margin &&
      comparison.difference >= -margin)
    return {true, false, "good enough (not established)"};
  return {false, comparison.interval.high < -margin,
          "fails: " + LossText(metric, comparison, margin)};
}

std::optional<size_t> CheapestFeasible(
    const Metric& metric, const std::vector<Contender>& contenders,
    const std::vector<Judgement>& judgements) {
  std::optional<size_t> cheapest;
  for (size_t i = 0; i < contenders.size(); ++i)
    if (judgements[i].feasible &&
        (!cheapest || Cheaper(contenders[i], contenders[*cheapest])))
      cheapest = i;
  if (!cheapest) return cheapest;
  const Joules limit = contenders[*cheapest].joules_per_1000->mid * kSameCost;
  const double sign = metric.sign();
  std::optional<size_t> chosen;
  double quality = 0;
  for (size_t i = 0; i < contenders.size(); ++i) {
    if (!judgements[i].feasible || contenders[i].joules_per_1000->mid > limit)
      continue;
    const double value = sign * metric.Aggregate(contenders[i].scores);
    if (!chosen || value > quality) {
      chosen = i;
      quality = value;
    }
  }
  return chosen;
}

}  // namespace

Choice Choose(const Metric& metric, const std::vector<Contender>& contenders,
              const Requirement& requirement) {
  Choice choice;
  choice.best = Best(metric, contenders);
  for (size_t i = 0; i < contenders.size(); ++i) {
    const Contender& contender = contenders[i];
    if (!HasScores(contender)) {
      choice.judgements.push_back({false, false, contender.failure});
    } else if (!contender.joules_per_1000) {
      choice.judgements.push_back({false, false, "its cost is unknown"});
    } else if (metric.higher_is_better() &&
               metric.Aggregate(contender.scores) <= 0) {
      // No better than the best of nothing, and no worse.
      choice.judgements.push_back(
          {false, true,
           fmt::format("fails: its {} is {}", metric.name(),
                       FormatQuality(metric.name(), 0))});
    } else if (requirement.floor) {
      choice.judgements.push_back(
          JudgeFloor(metric, contender, *requirement.floor));
    } else if (i == *choice.best) {
      choice.judgements.push_back({true, true, "the most accurate"});
    } else {
      choice.judgements.push_back(JudgeMargin(metric, contender,
                                              contenders[*choice.best],
                                              requirement.within.value_or(0)));
    }
  }
  choice.chosen = CheapestFeasible(metric, contenders, choice.judgements);
  if (choice.chosen && choice.best)
    choice.smallest_detectable =
        Compare(metric, contenders[*choice.chosen].scores,
                contenders[*choice.best].scores, requirement.within.value_or(0))
            .smallest_detectable;
  return choice;
}

}  // namespace modicum
