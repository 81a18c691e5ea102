// SPDX-License-Identifier: Apache-2.0
// Metrics score item by item, so that two models can be paired on the same
// items, and aggregate afterwards: F1 and log-loss are not means of hits.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/estimate.h"
#include "base/result.h"
#include "dataset/item.h"
#include "model/model.h"

namespace modicum {

// What a metric keeps of one item. `value` means what the metric says it
// means: 0 or 1 for accuracy, a cell of the confusion table for F1.
struct ItemScore {
  uint64_t item = 0;   // Item::id
  uint64_t group = 0;  // Item::group: near-duplicates share one
  double value = 0;
};

// Immutable; thread-safe.
class Metric {
 public:
  virtual ~Metric() = default;
  virtual std::string_view name() const = 0;
  virtual bool higher_is_better() const { return true; }
  // Times a value: more is better.
  double sign() const { return higher_is_better() ? 1 : -1; }
  // True when Aggregate is a proportion of items scored 1 and not 0.
  virtual bool is_proportion() const { return false; }
  virtual double Score(const Item& item, const Output& output) const = 0;
  virtual double Aggregate(std::span<const ItemScore> scores) const = 0;
  // Whether Score can give this value.
  virtual bool IsScore(double value) const = 0;
  // All that Aggregate can be.
  virtual Interval range() const { return {0, 1}; }
  // How much one more such item would move the aggregate, times their number:
  // the influence function (Hampel 1974). They sum to 0.
  virtual std::vector<double> Influences(
      std::span<const ItemScore> scores) const = 0;
  // The largest influence that an item of these, answered otherwise, may have.
  virtual double MostInfluence(std::span<const ItemScore> scores) const = 0;
  // Share of right answers, where the scores tell.
  virtual std::optional<double> CorrectShare(
      std::span<const ItemScore> scores) const = 0;
};

// "accuracy", "macro-f1", "f1:CLASS", "log-loss". kInvalidInput with "did you
// mean" for an unknown metric or class.
Result<std::unique_ptr<Metric>> MakeMetric(
    std::string_view spec, const std::vector<std::string>& labels);

// The scores of `items` under `outputs`, which are in the same order.
std::vector<ItemScore> ScoreItems(const Metric& metric,
                                  std::span<const Item* const> items,
                                  std::span<const Output> outputs);

}  // namespace modicum
