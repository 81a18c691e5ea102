// SPDX-License-Identifier: Apache-2.0
#include "fit/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "base/statistics.h"
#include "evaluate/quality.h"
#include "place/place.h"
#include "record/quality_text.h"

namespace modicum {
namespace {

constexpr double kWorthSaying = 1.2;  // factor of energy

// "at ten times the volume the search is repaid in 11 d instead of 113 d".
std::optional<std::string> TenTimesTheVolume(const FitResult& result) {
  if (result.volume <= 0 || !result.payback) return std::nullopt;
  const double months = result.payback->mid / result.volume;
  return fmt::format(
      "at ten times the volume the search is repaid in {} instead of {}; the "
      "choice, which is by joules per prediction, stays",
      FormatDuration(kMonth * (months / 10)), FormatDuration(kMonth * months));
}

// Where a machine kept alive costs more than what it is kept alive for.
std::optional<std::string> WhereIdleStopsDominating(const FitResult& result) {
  if (!result.idle_month || !result.predict_month) return std::nullopt;
  const double idle = result.idle_month->mid.value();
  const double predict = result.predict_month->mid.value();
  if (predict <= 0 || idle <= predict) return std::nullopt;
  const double volume = result.volume * idle / predict;
  const double unit = std::pow(10, std::floor(std::log10(volume)) - 1);
  return fmt::format(
      "from about {} predictions a month they cost more than a machine kept "
      "alive for them; below that, sharing or batching saves more than any "
      "smaller model",
      volume < 1e15
          ? FormatCount(static_cast<uint64_t>(std::round(volume / unit) * unit))
          : FormatNumber(volume));
}

// "with 2,000 more labelled items the margin could be established".
std::optional<std::string> MoreLabels(const FitEvidence& evidence,
                                      const FitResult& result,
                                      const Metric& metric, double discordant) {
  const double margin = evidence.within.value_or(0);
  if (result.established || margin <= 0 || !metric.is_proportion())
    return std::nullopt;
  const auto tested = static_cast<double>(evidence.test.ids.size());
  const auto needed = static_cast<double>(
      ItemsNeeded(margin, std::max(discordant, 1.0 / 1000)));
  if (needed <= tested || evidence.items == 0) return std::nullopt;
  // Of more labelled items the test gets the share that it has now.
  const double share = tested / static_cast<double>(evidence.items);
  return fmt::format(
      "with about {} more labelled items ({} of them for the test) a margin of "
      "{} could be established",
      FormatNumber((needed - tested) / share), FormatNumber(needed - tested),
      FormatQualityLoss(metric.name(), margin));
}

// What twice the margin, or half of it, would choose.
std::optional<std::string> AnotherMargin(
    const FitEvidence& evidence, const FitResult& result, const Metric& metric,
    const std::vector<Contender>& contenders, double factor) {
  if (!evidence.within || *evidence.within <= 0) return std::nullopt;
  const double margin = *evidence.within * factor;
  const Choice choice =
      Choose(metric, contenders, {.within = margin, .floor = {}});
  if (!choice.chosen || contenders[*choice.chosen].name == result.chosen)
    return std::nullopt;
  const CandidateRow* now = FindRow(result, result.chosen);
  const CandidateRow* then = FindRow(result, contenders[*choice.chosen].name);
  const double ratio = then->joules_per_1000->mid / now->joules_per_1000->mid;
  // Not worth a sentence.
  if (ratio > 1 / kWorthSaying && ratio < kWorthSaying) return std::nullopt;
  return fmt::format(
      "with a margin of {} instead of {} it would be {}, at {} of the energy "
      "per prediction ({})",
      FormatQualityLoss(metric.name(), margin),
      FormatQualityLoss(metric.name(), *evidence.within), then->name,
      FormatNumber(ratio) + "x", OriginName(then->joules_per_1000->origin));
}

// The same joules on a low-carbon grid, or, from one, on a high-carbon grid.
std::optional<std::string> AnotherPlace(const FitEvidence& evidence,
                                        const FitResult& result) {
  const CandidateRow* chosen = FindRow(result, result.chosen);
  if (chosen == nullptr || !chosen->g_co2e_per_1000) return std::nullopt;
  PlaceQuery query;
  query.region = evidence.place.intensity.mid.value() > 100 ? "SE" : "PL";
  if (evidence.place.id == query.region) return std::nullopt;
  const auto other = FindPlace(query);
  if (!other) return std::nullopt;
  const Estimate<GramsCo2e> there =
      OperationalCarbon(*chosen->joules_per_1000, *other);
  return fmt::format(
      "in {} instead of {} 1,000 predictions emit {} instead of {} (grid "
      "averages); the choice, which is by joules, stays",
      other->name, evidence.place.name, FormatEstimate(there),
      FormatEstimate(*chosen->g_co2e_per_1000));
}

}  // namespace

std::vector<std::string> WhatChangesTheAnswer(
    const FitEvidence& evidence, const FitResult& result, const Metric& metric,
    const std::vector<Contender>& contenders, double discordant) {
  std::vector<std::string> sentences;
  if (result.chosen.empty()) return sentences;
  for (auto sentence :
       {TenTimesTheVolume(result), WhereIdleStopsDominating(result),
        MoreLabels(evidence, result, metric, discordant),
        AnotherMargin(evidence, result, metric, contenders, 2),
        AnotherMargin(evidence, result, metric, contenders, 0.5),
        AnotherPlace(evidence, result)})
    if (sentence) sentences.push_back(*std::move(sentence));
  return sentences;
}

}  // namespace modicum
