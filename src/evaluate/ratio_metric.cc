// SPDX-License-Identifier: Apache-2.0
#include "evaluate/ratio_metric.h"

#include <algorithm>
#include <cmath>

namespace modicum {

ItemScore RatioMetric::Add(const Item& item, Fraction ratio) {
  if (is_proportion()) return {item.id, item.group, ratio.above};
  ratios_.push_back(ratio);
  return {item.id, item.group, static_cast<double>(ratios_.size() - 1)};
}

Fraction RatioMetric::RatioOf(const ItemScore& score) const {
  MODICUM_CHECK(IsScore(score.value));
  if (is_proportion()) return {score.value, 1};
  return ratios_[static_cast<size_t>(score.value)];
}

Fraction RatioMetric::Sum(std::span<const ItemScore> scores) const {
  Fraction sum{0, 0};
  for (const ItemScore& score : scores) {
    const Fraction ratio = RatioOf(score);
    sum.above += ratio.above;
    sum.below += ratio.below;
  }
  return sum;
}

double RatioMetric::Score(const Item&, const Output&) const {
  CheckFailed("scores of a ratio are added", __FILE__, __LINE__);
}

double RatioMetric::Aggregate(std::span<const ItemScore> scores) const {
  const Fraction sum = Sum(scores);
  return sum.below > 0 ? sum.above / sum.below : 0;
}

bool RatioMetric::IsScore(double value) const {
  if (is_proportion()) return value == 0 || value == 1;
  return value >= 0 && value < static_cast<double>(ratios_.size()) &&
         value == std::floor(value);
}

// d(a/b) = (da - a/b db) / b.
std::vector<double> RatioMetric::Influences(
    std::span<const ItemScore> scores) const {
  const double below = Sum(scores).below;
  const double value = Aggregate(scores);
  const auto items = static_cast<double>(scores.size());
  std::vector<double> influences;
  influences.reserve(scores.size());
  for (const ItemScore& score : scores) {
    const Fraction ratio = RatioOf(score);
    influences.push_back(
        below > 0 ? items * (ratio.above - value * ratio.below) / below : 0);
  }
  return influences;
}

double RatioMetric::MostInfluence(std::span<const ItemScore> scores) const {
  const double below = Sum(scores).below;
  double most = 0;
  for (const ItemScore& score : scores) {
    const Fraction ratio = RatioOf(score);
    most = std::max({most, ratio.below, ratio.above});
  }
  return below > 0 ? static_cast<double>(scores.size()) * most / below : 0;
}

std::optional<double> RatioMetric::CorrectShare(
    std::span<const ItemScore> scores) const {
  if (is_proportion() && !scores.empty()) return Aggregate(scores);
  return std::nullopt;
}

}  // namespace modicum
