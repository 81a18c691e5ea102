// SPDX-License-Identifier: Apache-2.0
#include "evaluate/quality.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "base/statistics.h"

namespace modicum {
namespace {

std::unique_ptr<Metric> Make(std::string_view spec) {
  return *MakeMetric(spec, {"a", "b"});
}

std::vector<ItemScore> Binary(size_t right, size_t wrong,
                              uint64_t group_size = 1) {
  std::vector<ItemScore> scores;
  for (size_t i = 0; i < right + wrong; ++i)
    scores.push_back({i, i / group_size, i < right ? 1.0 : 0.0});
  return scores;
}

TEST(Quality, AccuracyWithoutDuplicatesHasWilsonsInterval) {
  const auto figure = QualityOf(*Make("accuracy"), Binary(81, 182), "test", 1);
  const Interval wilson = WilsonInterval(81, 263);
  EXPECT_EQ(figure.low, wilson.low);
  EXPECT_EQ(figure.high, wilson.high);
  EXPECT_EQ(figure.split, "test");
  EXPECT_EQ(figure.items, 263U);
}

TEST(Quality, DuplicatesWidenTheIntervalAndNeverNarrowIt) {
  const auto alone = QualityOf(*Make("accuracy"), Binary(80, 20), "test", 1);
  const auto grouped =
      QualityOf(*Make("accuracy"), Binary(80, 20, 10), "test", 1);
  EXPECT_LT(grouped.low, alone.low);
  EXPECT_GT(grouped.high, alone.high);
  const auto all_right =
      QualityOf(*Make("accuracy"), Binary(100, 0, 10), "test", 1);
  EXPECT_LE(all_right.low, WilsonInterval(100, 100).low);
  EXPECT_LT(all_right.low, 0.98);
}

TEST(Quality, ComparisonIsOrientedSoThatNegativeIsWorse) {
  const auto better = Binary(95, 5);
  const auto worse = Binary(85, 15);
  const auto metric = Make("accuracy");
  const Comparison down = Compare(*metric, worse, better, 0.05, 1);
  EXPECT_NEAR(down.difference, -0.10, 1e-12);
  EXPECT_FALSE(down.non_inferior);
  EXPECT_GT(down.p_value, 0.5);
  const Comparison up = Compare(*metric, better, worse, 0.05, 1);
  EXPECT_NEAR(up.difference, 0.10, 1e-12);
  EXPECT_TRUE(up.non_inferior);
  EXPECT_LT(up.p_value, 0.01);
}

TEST(Quality, LogLossLowerIsBetter) {
  const auto metric = Make("log-loss");
  Rng rng(3);
  std::vector<ItemScore> low;
  std::vector<ItemScore> high;
  for (uint64_t i = 0; i < 200; ++i) {
    low.push_back({i, i, 0.1 + 0.01 * rng.Unit()});
    high.push_back({i, i, 0.4 + 0.01 * rng.Unit()});
  }
  EXPECT_TRUE(Compare(*metric, low, high, 0.01, 1).non_inferior);
  EXPECT_FALSE(Compare(*metric, high, low, 0.01, 1).non_inferior);
  EXPECT_TRUE(MeetsFloor(*metric, QualityOf(*metric, low, "test", 1), 0.2));
  EXPECT_FALSE(MeetsFloor(*metric, QualityOf(*metric, high, "test", 1), 0.2));
  EXPECT_LT(FloorPValue(*metric, low, 0.2, 1), 0.01);
  EXPECT_GT(FloorPValue(*metric, high, 0.2, 1), 0.99);
}

TEST(Quality, IdenticalModelsAreNonInferiorWithEnoughItems) {
  const auto metric = Make("accuracy");
  const Comparison many =
      Compare(*metric, Binary(950, 50), Binary(950, 50), 0.01, 1);
  EXPECT_TRUE(many.non_inferior);
  EXPECT_EQ(many.discordant_share, 0);
  const Comparison few = Compare(*metric, Binary(9, 1), Binary(9, 1), 0.01, 1);
  EXPECT_FALSE(few.non_inferior) << "ten items cannot show a margin of 1 pt";
  EXPECT_GT(few.smallest_detectable, 0.01);
}

TEST(Quality, FloorPValueFallsWithDistance) {
  const auto metric = Make("accuracy");
  double last = 1;
  for (const size_t right : {900U, 950U, 970U, 990U}) {
    const double p = FloorPValue(*metric, Binary(right, 1000 - right), 0.95, 1);
    EXPECT_LT(p, last);
    last = p;
  }
  EXPECT_NEAR(FloorPValue(*metric, Binary(950, 50), 0.95, 1), 0.5, 1e-12);
}

}  // namespace
}  // namespace modicum
