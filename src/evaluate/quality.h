// SPDX-License-Identifier: Apache-2.0
// Quality with its interval, and whether one model is good enough beside
// another: non-inferiority on the same items, or an absolute floor.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/estimate.h"
#include "evaluate/metric.h"
#include "record/types.h"

namespace modicum {

// 95 % interval. A proportion gets Wilson's, on the effective number of items
// where some are near-duplicates of each other; other metrics that of their
// influence function by clusters (base/statistics.h). Where nothing varies (a
// model that is always right), as much doubt is left as the items can hold: a
// share of them may differ that would go unseen 19 times in 20. Always finite
// and within what the metric can be. Computed without chance.
QualityFigure QualityOf(const Metric& metric, std::span<const ItemScore> scores,
                        std::string_view split);

// `candidate` against `baseline`, both on the same items in the same order.
// Differences are oriented so that negative means worse. A proportion gets
// Tango's interval, by the same rules as QualityOf.
struct Comparison {
  double difference = 0;
  Interval interval;  // 90 % two-sided: its low end is the one-sided 95 % bound
  double discordant_share = 0;  // share of items on which the two differ
  // Smallest loss that these items could have detected (power 80 %).
  double smallest_detectable = 0;
  // One-sided p-value of "worse by the margin or more".
  double p_value = 1;
  bool non_inferior = false;  // interval.low >= -margin
};
Comparison Compare(const Metric& metric, std::span<const ItemScore> candidate,
                   std::span<const ItemScore> baseline, double margin);

// One-sided p-value of "the metric is at the floor or worse".
double FloorPValue(const Metric& metric, std::span<const ItemScore> scores,
                   double floor);
// True when the whole interval is on the good side of the floor.
bool MeetsFloor(const Metric& metric, const QualityFigure& quality,
                double floor);

}  // namespace modicum
