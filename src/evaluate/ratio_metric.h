// SPDX-License-Identifier: Apache-2.0
// Metrics that are a fraction of two sums over items: F1 over entities, the
// mean F1 of answers, bits a token, a share of hits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "evaluate/metric.h"

namespace modicum {

// What one item adds above and below the line.
struct Fraction {
  double above = 0;
  double below = 1;
};

// Scores are made by Add, in the items' order; Score is not for these.
class RatioMetric final : public Metric {
 public:
  struct Rules {
    std::string name;
    bool higher_is_better = true;
    bool is_proportion = false;  // every item adds 0 or 1 to 1
    Interval range = {0, 1};
  };
  explicit RatioMetric(Rules rules) : rules_(std::move(rules)) {}

  // A score whose value is the number of this ratio; of a proportion, 0 or 1.
  ItemScore Add(const Item& item, Fraction ratio);

  std::string_view name() const override { return rules_.name; }
  bool higher_is_better() const override { return rules_.higher_is_better; }
  bool is_proportion() const override { return rules_.is_proportion; }
  Interval range() const override { return rules_.range; }
  double Score(const Item& item, const Output& output) const override;
  // 0 where nothing is below the line.
  double Aggregate(std::span<const ItemScore> scores) const override;
  bool IsScore(double value) const override;
  std::vector<double> Influences(
      std::span<const ItemScore> scores) const override;
  // Of the item with most below the line, right or wrong as a whole.
  double MostInfluence(std::span<const ItemScore> scores) const override;
  // Of a proportion alone.
  std::optional<double> CorrectShare(
      std::span<const ItemScore> scores) const override;

 private:
  Fraction RatioOf(const ItemScore& score) const;
  Fraction Sum(std::span<const ItemScore> scores) const;

  const Rules rules_;
  std::vector<Fraction> ratios_;
};

}  // namespace modicum
