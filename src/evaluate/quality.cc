// SPDX-License-Identifier: Apache-2.0
#include "evaluate/quality.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/result.h"
#include "base/statistics.h"

namespace modicum {
namespace {

// 1,000 resamples put the 2.5 % and 97.5 % points within about half a
// percentile (Davison & Hinkley 1997, section 5.2.5).
constexpr int kResamples = 1000;

std::vector<uint64_t> Groups(std::span<const ItemScore> scores) {
  std::vector<uint64_t> groups;
  groups.reserve(scores.size());
  for (const ItemScore& score : scores) groups.push_back(score.group);
  return groups;
}

bool HasClusters(const std::vector<uint64_t>& groups) {
  return std::set<uint64_t>(groups.begin(), groups.end()).size() <
         groups.size();
}

uint64_t Hits(std::span<const ItemScore> scores) {
  return static_cast<uint64_t>(
      std::count_if(scores.begin(), scores.end(),
                    [](const ItemScore& s) { return s.value > 0.5; }));
}

std::vector<ItemScore> Pick(std::span<const ItemScore> scores,
                            std::span<const uint32_t> rows) {
  std::vector<ItemScore> picked;
  picked.reserve(rows.size());
  for (const uint32_t row : rows) picked.push_back(scores[row]);
  return picked;
}

Interval Wider(Interval a, Interval b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

double Orientation(const Metric& metric) {
  return metric.higher_is_better() ? 1 : -1;
}

// The p-value of a bound from a bootstrap interval's standard error: the
// interval is of the percentile kind, its half width over z is the error.
double NormalPValue(double mid, const Interval& interval90, double bound) {
  const double sd = (interval90.high - interval90.low) / (2 * kZ90);
  if (sd <= 0) return mid > bound ? 0 : 1;
  return 0.5 * std::erfc((mid - bound) / sd / std::sqrt(2.0));
}

PairedCounts Pair(std::span<const ItemScore> a, std::span<const ItemScore> b) {
  PairedCounts counts;
  for (size_t i = 0; i < a.size(); ++i) {
    const bool first = a[i].value > 0.5;
    const bool second = b[i].value > 0.5;
    if (first && second) ++counts.both;
    if (first && !second) ++counts.first_only;
    if (!first && second) ++counts.second_only;
    if (!first && !second) ++counts.neither;
  }
  return counts;
}

Interval DifferenceBootstrap(const Metric& metric, std::span<const ItemScore> a,
                             std::span<const ItemScore> b,
                             const std::vector<uint64_t>& groups,
                             uint64_t seed) {
  const double sign = Orientation(metric);
  return ClusterBootstrap(
      groups,
      [&](std::span<const uint32_t> rows) {
        return sign * (metric.Aggregate(Pick(a, rows)) -
                       metric.Aggregate(Pick(b, rows)));
      },
      0.90, kResamples, seed);
}

// The loss that a bootstrap of this width could detect: the sum of the
// one-sided 95 % and the 80 % power quantiles times its standard error.
double DetectableFromWidth(const Interval& interval90) {
  const double sd = (interval90.high - interval90.low) / (2 * kZ90);
  return (NormalQuantile(0.95) + NormalQuantile(0.80)) * sd;
}

}  // namespace

QualityFigure QualityOf(const Metric& metric, std::span<const ItemScore> scores,
                        std::string_view split, uint64_t seed) {
  MODICUM_CHECK(!scores.empty());
  QualityFigure figure{std::string(metric.name()),
                       std::string(split),
                       metric.Aggregate(scores),
                       0,
                       0,
                       scores.size()};
  const std::vector<uint64_t> groups = Groups(scores);
  Interval interval;
  if (metric.is_proportion())
    interval = WilsonInterval(Hits(scores), scores.size());
  if (!metric.is_proportion() || HasClusters(groups)) {
    const Interval bootstrap = ClusterBootstrap(
        groups,
        [&](std::span<const uint32_t> rows) {
          return metric.Aggregate(Pick(scores, rows));
        },
        0.95, kResamples, seed);
    interval = metric.is_proportion() ? Wider(interval, bootstrap) : bootstrap;
  }
  figure.low = std::min(interval.low, figure.mid);
  figure.high = std::max(interval.high, figure.mid);
  return figure;
}

Comparison Compare(const Metric& metric, std::span<const ItemScore> candidate,
                   std::span<const ItemScore> baseline, double margin,
                   uint64_t seed) {
  MODICUM_CHECK(candidate.size() == baseline.size() && !candidate.empty());
  Comparison result;
  result.difference = Orientation(metric) * (metric.Aggregate(candidate) -
                                             metric.Aggregate(baseline));
  size_t differ = 0;
  for (size_t i = 0; i < candidate.size(); ++i) {
    MODICUM_CHECK(candidate[i].item == baseline[i].item);
    if (candidate[i].value != baseline[i].value) ++differ;
  }
  const auto items = static_cast<double>(candidate.size());
  result.discordant_share = static_cast<double>(differ) / items;

  const std::vector<uint64_t> groups = Groups(candidate);
  if (metric.is_proportion()) {
    const PairedCounts counts = Pair(candidate, baseline);
    result.interval = TangoInterval(counts, 0.90);
    result.p_value = TangoPValue(counts, margin);
    // With no discordant pair yet, a share of half an item keeps it finite.
    result.smallest_detectable = SmallestDetectableLoss(
        candidate.size(), std::max(result.discordant_share, 0.5 / items));
  }
  if (!metric.is_proportion() || HasClusters(groups)) {
    const Interval bootstrap =
        DifferenceBootstrap(metric, candidate, baseline, groups, seed);
    const double p = NormalPValue(result.difference, bootstrap, -margin);
    if (metric.is_proportion()) {
      result.interval = Wider(result.interval, bootstrap);
      result.p_value = std::max(result.p_value, p);
    } else {
      result.interval = bootstrap;
      result.p_value = p;
      result.smallest_detectable = DetectableFromWidth(bootstrap);
    }
  }
  result.non_inferior = result.interval.low >= -margin;
  return result;
}

double FloorPValue(const Metric& metric, std::span<const ItemScore> scores,
                   double floor, uint64_t seed) {
  const std::vector<uint64_t> groups = Groups(scores);
  const double sign = Orientation(metric);
  double p = 0;
  if (metric.is_proportion()) {
    // Score test of one proportion: its error is taken at the floor.
    const auto n = static_cast<double>(scores.size());
    const double sd = std::sqrt(std::max(floor * (1 - floor), 0.0) / n);
    const double gap = metric.Aggregate(scores) - floor;
    p = sd > 0 ? 0.5 * std::erfc(gap / sd / std::sqrt(2.0)) : gap > 0 ? 0 : 1;
  }
  if (!metric.is_proportion() || HasClusters(groups)) {
    const Interval bootstrap = ClusterBootstrap(
        groups,
        [&](std::span<const uint32_t> rows) {
          return sign * metric.Aggregate(Pick(scores, rows));
        },
        0.90, kResamples, seed);
    p = std::max(p, NormalPValue(sign * metric.Aggregate(scores), bootstrap,
                                 sign * floor));
  }
  return p;
}

bool MeetsFloor(const Metric& metric, const QualityFigure& quality,
                double floor) {
  return metric.higher_is_better() ? quality.low >= floor
                                   : quality.high <= floor;
}

}  // namespace modicum
