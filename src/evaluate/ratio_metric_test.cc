// SPDX-License-Identifier: Apache-2.0
// Ratios of sums with their intervals, entities out of tags.
#include "evaluate/ratio_metric.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/rng.h"
#include "evaluate/quality.h"
#include "evaluate/tag_spans.h"

namespace modicum {
namespace {

Item Numbered(uint64_t id) {
  Item item;
  item.id = item.group = id;
  return item;
}

std::vector<ItemScore> Scores(RatioMetric& metric,
                              const std::vector<Fraction>& ratios) {
  std::vector<ItemScore> scores;
  for (size_t i = 0; i < ratios.size(); ++i)
    scores.push_back(metric.Add(Numbered(i), ratios[i]));
  return scores;
}

TEST(RatioMetric, IsTheRatioOfTheSums) {
  RatioMetric f1({.name = "f1"});
  const auto scores = Scores(f1, {{2, 2}, {0, 3}, {4, 5}, {0, 0}});
  EXPECT_DOUBLE_EQ(f1.Aggregate(scores), 0.6);
  EXPECT_FALSE(f1.CorrectShare(scores));
  EXPECT_FALSE(f1.IsScore(4));
  EXPECT_EQ(f1.Aggregate({}), 0);
  EXPECT_EQ(RatioMetric({.name = "f1"}).Aggregate({}), 0);
}

// The influence is what one more such item would change, times their number.
TEST(RatioMetric, InfluencesAreItsDerivatives) {
  RatioMetric metric({.name = "f1"});
  Rng rng(3);
  std::vector<Fraction> ratios;
  for (int i = 0; i < 40; ++i) {
    const double below = 1 + rng.Below(6);
    ratios.push_back({below * rng.Unit(), below});
  }
  const auto scores = Scores(metric, ratios);
  const auto influences = metric.Influences(scores);
  EXPECT_NEAR(std::accumulate(influences.begin(), influences.end(), 0.0), 0,
              1e-9);
  Fraction sum{0, 0};
  for (const Fraction& ratio : ratios) {
    sum.above += ratio.above;
    sum.below += ratio.below;
  }
  constexpr double kStep = 1e-6;
  for (size_t i = 0; i < ratios.size(); ++i) {
    const double moved = (sum.above + kStep * ratios[i].above) /
                         (sum.below + kStep * ratios[i].below);
    EXPECT_NEAR(influences[i], 40 * (moved - sum.above / sum.below) / kStep,
                1e-4);
    EXPECT_LE(std::abs(influences[i]), metric.MostInfluence(scores));
  }
}

// A mean of 0 and 1 has Wilson's interval, as accuracy has.
TEST(RatioMetric, AProportionIsScoredAsAccuracy) {
  RatioMetric share({.name = "exact-match", .is_proportion = true});
  std::vector<Fraction> ratios(50, Fraction{1, 1});
  for (size_t i = 0; i < 10; ++i) ratios[i].above = 0;
  const auto scores = Scores(share, ratios);
  const auto accuracy = *MakeMetric("accuracy", {});
  const QualityFigure own = QualityOf(share, scores, "x");
  const QualityFigure other = QualityOf(*accuracy, scores, "x");
  EXPECT_EQ(own.mid, 0.8);
  EXPECT_EQ(own.low, other.low);
  EXPECT_EQ(own.high, other.high);
  EXPECT_EQ(share.CorrectShare(scores), 0.8);
}

// Nine in ten intervals of 95 % or more hold the truth.
TEST(RatioMetric, ItsIntervalCovers) {
  Rng rng(11);
  int covered = 0;
  for (int trial = 0; trial < 300; ++trial) {
    RatioMetric metric({.name = "f1"});
    std::vector<Fraction> ratios;
    for (int i = 0; i < 60; ++i) {
      Fraction ratio{0, 0};
      for (uint32_t k = rng.Below(5); k > 0; --k) {
        ratio.below += 2;
        if (rng.Unit() < 0.7) ratio.above += 2;
      }
      ratios.push_back(ratio);
    }
    const QualityFigure figure = QualityOf(metric, Scores(metric, ratios), "x");
    covered += figure.low <= 0.7 && 0.7 <= figure.high ? 1 : 0;
  }
  EXPECT_GE(covered, 277);  // 95 % less three standard deviations
}

std::string Spans(std::vector<std::string_view> tags) {
  std::string text;
  for (const TagSpan& span : SpansOf(tags))
    text += span.tag + std::to_string(span.begin) + "-" +
            std::to_string(span.end) + " ";
  return text;
}

TEST(SpansOf, ReadsIob2AsConllDoes) {
  EXPECT_EQ(Spans({"B-PER", "I-PER", "O", "B-LOC"}), "PER0-2 LOC3-4 ");
  EXPECT_EQ(Spans({"B-PER", "B-PER", "I-PER"}), "PER0-1 PER1-3 ");
  EXPECT_EQ(Spans({"I-PER", "I-PER", "O", "I-PER"}), "PER0-2 PER3-4 ");
  EXPECT_EQ(Spans({"B-PER", "I-LOC", "I-LOC"}), "PER0-1 LOC1-3 ");
  EXPECT_EQ(Spans({"O", "PER", "", "B"}), "");
  EXPECT_EQ(Spans({"B-a-b"}), "a-b0-1 ");
}

TEST(EntityRatio, CountsWordsAndType) {
  const auto ratio = [](std::vector<std::string_view> wanted,
                        std::vector<std::string_view> answered) {
    return EntityRatio(SpansOf(wanted), SpansOf(answered));
  };
  EXPECT_EQ(ratio({"B-X", "I-X"}, {"B-X", "I-X"}).above, 2);
  EXPECT_EQ(ratio({"B-X", "I-X"}, {"B-X", "O"}).above, 0);
  EXPECT_EQ(ratio({"B-X", "I-X"}, {"B-X", "O"}).below, 2);
  EXPECT_EQ(ratio({"B-X", "O"}, {"B-Y", "O"}).above, 0);
  const Fraction more = ratio({"B-X", "O", "B-Y"}, {"B-X", "B-X", "O"});
  EXPECT_EQ(more.above, 2);
  EXPECT_EQ(more.below, 4);
  EXPECT_EQ(ratio({"O"}, {"O"}).below, 0);
}

}  // namespace
}  // namespace modicum
