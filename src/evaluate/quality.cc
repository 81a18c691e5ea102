// SPDX-License-Identifier: Apache-2.0
#include "evaluate/quality.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/result.h"
#include "base/statistics.h"

namespace modicum {
namespace {

// The items' clusters, numbered from 0.
struct Clusters {
  std::vector<size_t> of_item;
  std::vector<double> sizes;

  std::vector<double> Sums(std::span<const double> values) const {
    std::vector<double> sums(sizes.size());
    for (size_t i = 0; i < values.size(); ++i) sums[of_item[i]] += values[i];
    return sums;
  }
  double items() const { return static_cast<double>(of_item.size()); }
};

Clusters ClustersOf(std::span<const ItemScore> scores) {
  Clusters clusters;
  std::unordered_map<uint64_t, size_t> index;
  index.reserve(scores.size());
  clusters.of_item.reserve(scores.size());
  for (const ItemScore& score : scores) {
    const auto [it, added] =
        index.try_emplace(score.group, clusters.sizes.size());
    if (added) clusters.sizes.push_back(0);
    ++clusters.sizes[it->second];
    clusters.of_item.push_back(it->second);
  }
  return clusters;
}

std::vector<double> ValuesOf(std::span<const ItemScore> scores) {
  std::vector<double> values;
  values.reserve(scores.size());
  for (const ItemScore& score : scores) values.push_back(score.value);
  return values;
}

Interval Clip(const Interval& interval, const Interval& range) {
  return {std::clamp(interval.low, range.low, range.high),
          std::clamp(interval.high, range.low, range.high)};
}

double Width(const Interval& interval) { return interval.high - interval.low; }

// The error of an aggregate by its items' influences. Where none varies the
// error is what hides from these items: a share that is not seen at 95 %, of
// items that each move the aggregate by `most` at most.
ClusterError ErrorOf(const Clusters& clusters,
                     std::span<const double> influences, double most) {
  ClusterError error =
      ErrorOfClusters(clusters.Sums(influences), clusters.items());
  constexpr double kRounding = 1e-12;
  if (error.sd > kRounding * most || !std::isfinite(error.sd)) return error;
  constexpr double kConfidence = 0.90;
  const std::vector<double> nothing(clusters.sizes.size());
  const double unseen =
      WilsonShareInterval(
          0, EffectiveItems(clusters.sizes, nothing, 0, kConfidence),
          kConfidence)
          .high;
  const double t =
      StudentQuantile(0.95, static_cast<double>(error.clusters) - 1);
  return {unseen * most / t, 0, error.clusters};
}

// The shares of items that only the first, only the second gets right, of as
// many items as these clusters are worth.
PairedShares Pair(const Clusters& clusters, std::span<const ItemScore> a,
                  std::span<const ItemScore> b, double confidence) {
  std::vector<double> differences;
  double first = 0;
  double second = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    differences.push_back(a[i].value - b[i].value);
    if (differences.back() > 0) ++first;
    if (differences.back() < 0) ++second;
  }
  first /= clusters.items();
  second /= clusters.items();
  const double variance = first + second - (first - second) * (first - second);
  return {first, second,
          EffectiveItems(clusters.sizes, clusters.Sums(differences), variance,
                         confidence)};
}

// Of a proportion.
void CompareShares(const PairedShares& shares, double margin,
                   Comparison& result) {
  result.interval = TangoInterval(shares, 0.90);
  result.p_value = TangoPValue(shares, margin);
  // With no discordant pair yet, a share of half an item keeps it finite.
  result.smallest_detectable = SmallestDetectableLoss(
      static_cast<uint64_t>(std::max(1.0, shares.items)),
      std::max(result.discordant_share, 0.5 / std::max(1.0, shares.items)));
}

// Of any other metric. The loss that such an error could detect is the sum of
// the one-sided 95 % and the 80 % power quantiles times it.
void CompareSmooth(const Metric& metric, const Clusters& clusters,
                   std::span<const ItemScore> a, std::span<const ItemScore> b,
                   double margin, Comparison& result) {
  const double sign = metric.sign();
  std::vector<double> influences = metric.Influences(a);
  const std::vector<double> others = metric.Influences(b);
  for (size_t i = 0; i < influences.size(); ++i)
    influences[i] = sign * (influences[i] - others[i]);
  const double most =
      std::max(metric.MostInfluence(a), metric.MostInfluence(b));
  const double width = Width(metric.range());
  result.smallest_detectable = width;
  result.interval = {-width, width};
  result.p_value = 1;
  if (most <= 0) return;  // a class that never came up
  const ClusterError error = ErrorOf(clusters, influences, most);
  result.interval =
      Clip(ClusterInterval(result.difference, error, 0.90), result.interval);
  result.p_value = ClusterPValue(result.difference + margin, error);
  result.smallest_detectable =
      std::min(width, (NormalQuantile(0.95) + NormalQuantile(0.80)) * error.sd);
}

}  // namespace

QualityFigure QualityOf(const Metric& metric, std::span<const ItemScore> scores,
                        std::string_view split) {
  MODICUM_CHECK(!scores.empty());
  QualityFigure figure{std::string(metric.name()),
                       std::string(split),
                       metric.Aggregate(scores),
                       0,
                       0,
                       scores.size()};
  constexpr double kConfidence = 0.95;
  const Clusters clusters = ClustersOf(scores);
  Interval interval;
  if (metric.is_proportion()) {
    interval = WilsonShareInterval(
        figure.mid,
        EffectiveItems(clusters.sizes, clusters.Sums(ValuesOf(scores)),
                       figure.mid * (1 - figure.mid), kConfidence),
        kConfidence);
  } else {
    const double most = metric.MostInfluence(scores);
    interval = metric.range();  // F1 of a class that never came up
    if (most > 0)
      interval = Clip(
          ClusterInterval(figure.mid,
                          ErrorOf(clusters, metric.Influences(scores), most),
                          kConfidence),
          interval);
  }
  figure.low = std::min(interval.low, figure.mid);
  figure.high = std::max(interval.high, figure.mid);
  return figure;
}

Comparison Compare(const Metric& metric, std::span<const ItemScore> candidate,
                   std::span<const ItemScore> baseline, double margin) {
  MODICUM_CHECK(candidate.size() == baseline.size() && !candidate.empty());
  Comparison result;
  result.difference = metric.sign() * (metric.Aggregate(candidate) -
                                       metric.Aggregate(baseline));
  size_t differ = 0;
  for (size_t i = 0; i < candidate.size(); ++i) {
    MODICUM_CHECK(candidate[i].item == baseline[i].item);
    if (candidate[i].value != baseline[i].value) ++differ;
  }
  const Clusters clusters = ClustersOf(candidate);
  result.discordant_share = static_cast<double>(differ) / clusters.items();
  if (metric.is_proportion())
    CompareShares(Pair(clusters, candidate, baseline, 0.90), margin, result);
  else
    CompareSmooth(metric, clusters, candidate, baseline, margin, result);
  result.non_inferior = result.interval.low >= -margin;
  return result;
}

double FloorPValue(const Metric& metric, std::span<const ItemScore> scores,
                   double floor) {
  const double sign = metric.sign();
  const Clusters clusters = ClustersOf(scores);
  const double value = metric.Aggregate(scores);
  const double gap = sign * (value - floor);
  if (metric.is_proportion()) {
    // Score test of one proportion: its error is taken at the floor.
    const double n =
        EffectiveItems(clusters.sizes, clusters.Sums(ValuesOf(scores)),
                       value * (1 - value), 0.90);
    const double sd = std::sqrt(std::max(floor * (1 - floor), 0.0) / n);
    return sd > 0    ? 0.5 * std::erfc(gap / sd / std::sqrt(2.0))
           : gap > 0 ? 0
                     : 1;
  }
  std::vector<double> influences = metric.Influences(scores);
  for (double& influence : influences) influence *= sign;
  const double most = metric.MostInfluence(scores);
  return most > 0 ? ClusterPValue(gap, ErrorOf(clusters, influences, most)) : 1;
}

bool MeetsFloor(const Metric& metric, const QualityFigure& quality,
                double floor) {
  return metric.higher_is_better() ? quality.low >= floor
                                   : quality.high <= floor;
}

}  // namespace modicum
