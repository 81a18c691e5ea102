// SPDX-License-Identifier: Apache-2.0
#include "evaluate/quality.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/cluster_bootstrap.h"
#include "base/rng.h"
#include "base/statistics.h"

namespace modicum {
namespace {

std::unique_ptr<Metric> MetricOf(std::string_view spec) {
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
  const auto figure = QualityOf(*MetricOf("accuracy"), Binary(81, 182), "test");
  const Interval wilson = WilsonInterval(81, 263);
  EXPECT_EQ(figure.low, wilson.low);
  EXPECT_EQ(figure.high, wilson.high);
  EXPECT_EQ(figure.split, "test");
  EXPECT_EQ(figure.items, 263U);
}

TEST(Quality, DuplicatesWidenTheIntervalAndNeverNarrowIt) {
  const auto alone = QualityOf(*MetricOf("accuracy"), Binary(80, 20), "test");
  const auto grouped =
      QualityOf(*MetricOf("accuracy"), Binary(80, 20, 10), "test");
  EXPECT_LT(grouped.low, alone.low);
  EXPECT_GT(grouped.high, alone.high);
  const auto all_right =
      QualityOf(*MetricOf("accuracy"), Binary(100, 0, 10), "test");
  EXPECT_LE(all_right.low, WilsonInterval(100, 100).low);
  EXPECT_LT(all_right.low, 0.98);
}

TEST(Quality, ComparisonIsOrientedSoThatNegativeIsWorse) {
  const auto better = Binary(95, 5);
  const auto worse = Binary(85, 15);
  const auto metric = MetricOf("accuracy");
  const Comparison down = Compare(*metric, worse, better, 0.05);
  EXPECT_NEAR(down.difference, -0.10, 1e-12);
  EXPECT_FALSE(down.non_inferior);
  EXPECT_GT(down.p_value, 0.5);
  const Comparison up = Compare(*metric, better, worse, 0.05);
  EXPECT_NEAR(up.difference, 0.10, 1e-12);
  EXPECT_TRUE(up.non_inferior);
  EXPECT_LT(up.p_value, 0.01);
}

TEST(Quality, LogLossLowerIsBetter) {
  const auto metric = MetricOf("log-loss");
  Rng rng(3);
  std::vector<ItemScore> low;
  std::vector<ItemScore> high;
  for (uint64_t i = 0; i < 200; ++i) {
    low.push_back({i, i, 0.1 + 0.01 * rng.Unit()});
    high.push_back({i, i, 0.4 + 0.01 * rng.Unit()});
  }
  EXPECT_TRUE(Compare(*metric, low, high, 0.01).non_inferior);
  EXPECT_FALSE(Compare(*metric, high, low, 0.01).non_inferior);
  EXPECT_TRUE(MeetsFloor(*metric, QualityOf(*metric, low, "test"), 0.2));
  EXPECT_FALSE(MeetsFloor(*metric, QualityOf(*metric, high, "test"), 0.2));
  EXPECT_LT(FloorPValue(*metric, low, 0.2), 0.01);
  EXPECT_GT(FloorPValue(*metric, high, 0.2), 0.99);
}

TEST(Quality, IdenticalModelsAreNonInferiorWithEnoughItems) {
  const auto metric = MetricOf("accuracy");
  const Comparison many =
      Compare(*metric, Binary(950, 50), Binary(950, 50), 0.01);
  EXPECT_TRUE(many.non_inferior);
  EXPECT_EQ(many.discordant_share, 0);
  const Comparison few = Compare(*metric, Binary(9, 1), Binary(9, 1), 0.01);
  EXPECT_FALSE(few.non_inferior) << "ten items cannot show a margin of 1 pt";
  EXPECT_GT(few.smallest_detectable, 0.01);
}

TEST(Quality, FloorPValueFallsWithDistance) {
  const auto metric = MetricOf("accuracy");
  double last = 1;
  for (const size_t right : {900U, 950U, 970U, 990U}) {
    const double p = FloorPValue(*metric, Binary(right, 1000 - right), 0.95);
    EXPECT_LT(p, last);
    last = p;
  }
  EXPECT_NEAR(FloorPValue(*metric, Binary(950, 50), 0.95), 0.5, 1e-12);
}

// Random outcomes of two classes, `minority` of the second, `wrong` of each
// answered wrongly; items of a cluster are alike.
std::vector<ItemScore> Random(std::string_view metric, size_t items,
                              size_t cluster, double minority, double wrong,
                              uint64_t seed) {
  Rng rng(seed);
  std::vector<ItemScore> scores;
  bool right = true;
  uint32_t truth = 0;
  for (size_t i = 0; i < items; ++i) {
    if (i % cluster == 0 || rng.Below(4) == 0) {
      right = rng.Unit() >= wrong;
      truth = rng.Unit() < minority ? 1 : 0;
    }
    const double value = metric == "accuracy" ? (right ? 1 : 0)
                         : metric == "log-loss"
                             ? (right ? 0.1 : 2) * rng.Unit()
                             : truth * 2 + (right ? truth : 1 - truth);
    scores.push_back({i, i / cluster, value});
  }
  return scores;
}

std::vector<uint64_t> GroupsOf(const std::vector<ItemScore>& scores) {
  std::vector<uint64_t> groups;
  for (const ItemScore& score : scores) groups.push_back(score.group);
  return groups;
}

std::vector<ItemScore> Pick(const std::vector<ItemScore>& scores,
                            std::span<const uint32_t> rows) {
  std::vector<ItemScore> picked;
  for (const uint32_t row : rows) picked.push_back(scores[row]);
  return picked;
}

// The ends lie within a tenth of the width of those of the bootstrap.
void ExpectAgree(const Interval& ours, const Interval& bootstrap) {
  const double width = bootstrap.high - bootstrap.low;
  EXPECT_NEAR(ours.low, bootstrap.low, 0.12 * width);
  EXPECT_NEAR(ours.high, bootstrap.high, 0.12 * width);
}

TEST(QualityAndBootstrap, IntervalsAgree) {
  for (const char* name : {"accuracy", "macro-f1", "f1:b", "log-loss"}) {
    for (const size_t cluster : {1U, 3U, 8U}) {
      SCOPED_TRACE(name + std::string(" ") + std::to_string(cluster));
      const auto metric = MetricOf(name);
      const auto scores = Random(name, 3000, cluster, 0.3, 0.2, 11);
      const auto figure = QualityOf(*metric, scores, "test");
      const Interval plain = ClusterBootstrap(
          GroupsOf(scores),
          [&](auto rows) { return metric->Aggregate(Pick(scores, rows)); },
          0.95, 400, 3);
      ExpectAgree({figure.low, figure.high}, plain);
    }
  }
}

TEST(QualityAndBootstrap, DifferencesAgree) {
  for (const char* name : {"accuracy", "macro-f1", "f1:b", "log-loss"}) {
    for (const size_t cluster : {1U, 5U}) {
      SCOPED_TRACE(name + std::string(" ") + std::to_string(cluster));
      const auto metric = MetricOf(name);
      const double sign = metric->higher_is_better() ? 1 : -1;
      auto a = Random(name, 3000, cluster, 0.3, 0.2, 21);
      auto b = a;
      Rng rng(4);
      for (size_t i = 0; i < b.size(); ++i) {  // half of b is another model's
        if (i / cluster % 2 == 0) continue;
        if (metric->name() == "log-loss") b[i].value = rng.Unit();
        if (metric->name() == "accuracy") b[i].value = rng.Below(5) > 0 ? 1 : 0;
        if (metric->name() == "macro-f1" || metric->name() == "f1:b") {
          const double truth = std::floor(a[i].value / 2);
          b[i].value = truth * 2 + (rng.Below(5) > 0 ? truth : 1 - truth);
        }
      }
      const Comparison ours = Compare(*metric, a, b, 0.02);
      const Interval plain = ClusterBootstrap(
          GroupsOf(a),
          [&](auto rows) {
            return sign * (metric->Aggregate(Pick(a, rows)) -
                           metric->Aggregate(Pick(b, rows)));
          },
          0.90, 400, 3);
      ExpectAgree(ours.interval, plain);
    }
  }
}

TEST(Quality, InfluencesAreDerivativesOfTheMetric) {
  for (const char* name : {"accuracy", "macro-f1", "f1:b", "log-loss"}) {
    const auto metric = MetricOf(name);
    const auto scores = Random(name, 400, 1, 0.3, 0.2, 5);
    const std::vector<double> influences = metric->Influences(scores);
    double sum = 0;
    for (const double influence : influences) sum += influence;
    EXPECT_NEAR(sum, 0, 1e-9) << name;
    for (const size_t i : {0U, 17U, 203U}) {  // leaving one out moves it so
      auto without = scores;
      without.erase(without.begin() + static_cast<ptrdiff_t>(i));
      const double moved =
          metric->Aggregate(scores) - metric->Aggregate(without);
      EXPECT_NEAR(moved * 400, influences[i],
                  0.01 + 0.02 * std::abs(influences[i]))
          << name;
    }
  }
}

// Whatever the data, an interval is finite, holds the value and lies within
// what the metric can be; p-values are probabilities.
void ExpectSane(const Metric& metric, const std::vector<ItemScore>& a,
                const std::vector<ItemScore>& b) {
  const Interval range = metric.range();
  const auto figure = QualityOf(metric, a, "test");
  EXPECT_TRUE(std::isfinite(figure.low) && std::isfinite(figure.high));
  EXPECT_LE(figure.low, figure.mid);
  EXPECT_GE(figure.high, figure.mid);
  EXPECT_GE(figure.low, range.low);
  EXPECT_LE(figure.high, range.high + 1e-12);
  EXPECT_LT(figure.low, figure.high) << "some doubt is left";
  const Comparison c = Compare(metric, a, b, 0.01);
  EXPECT_TRUE(std::isfinite(c.interval.low) && std::isfinite(c.interval.high));
  EXPECT_LE(c.interval.low, c.difference + 1e-12);
  EXPECT_GE(c.interval.high, c.difference - 1e-12);
  EXPECT_GE(c.p_value, 0);
  EXPECT_LE(c.p_value, 1);
  EXPECT_TRUE(std::isfinite(c.smallest_detectable));
  EXPECT_GT(c.smallest_detectable, 0);
  const double p = FloorPValue(metric, a, 0.5);
  EXPECT_GE(p, 0);
  EXPECT_LE(p, 1);
}

TEST(QualityAtTheEdge, EveryCaseIsFiniteAndSane) {
  for (const char* name : {"accuracy", "macro-f1", "f1:b", "log-loss"}) {
    const auto metric = MetricOf(name);
    for (const size_t items : {1U, 2U, 5U, 50U, 1000U})
      for (const size_t cluster : {size_t{1}, size_t{3}, items})
        for (const double minority : {0.0, 0.002, 0.5})
          for (const double wrong : {0.0, 0.01, 0.5, 1.0}) {
            SCOPED_TRACE(std::string(name) + " items " + std::to_string(items) +
                         " cluster " + std::to_string(cluster) + " minority " +
                         std::to_string(minority) + " wrong " +
                         std::to_string(wrong));
            const auto a = Random(name, items, cluster, minority, wrong, 7);
            ExpectSane(*metric, a, a);
            ExpectSane(*metric, a,
                       Random(name, items, cluster, minority, 0.3, 8));
          }
  }
}

TEST(QualityAtTheEdge, IdenticalModelsOnFewItemsEstablishNothing) {
  for (const char* name : {"accuracy", "macro-f1", "f1:b", "log-loss"}) {
    SCOPED_TRACE(name);
    const auto metric = MetricOf(name);
    const auto few = Random(name, 5, 1, 0.5, 0.2, 2);
    const Comparison small = Compare(*metric, few, few, 0.01);
    EXPECT_FALSE(small.non_inferior);
    EXPECT_GT(small.p_value, 0.05);
    const auto many = Random(name, 20'000, 1, 0.5, 0.2, 2);
    const Comparison large = Compare(*metric, many, many, 0.01);
    EXPECT_TRUE(large.non_inferior);
    EXPECT_LT(large.p_value, 0.05);
  }
}

TEST(QualityAtTheEdge, AlwaysRightIsNotCertainlyRight) {
  for (const char* name : {"accuracy", "macro-f1", "f1:b"}) {
    SCOPED_TRACE(name);
    const auto metric = MetricOf(name);
    double last = 0;
    for (const size_t items : {10U, 100U, 1000U}) {
      const auto scores = Random(name, items, 1, 0.5, 0, 3);
      const auto figure = QualityOf(*metric, scores, "test");
      EXPECT_EQ(figure.mid, 1);
      EXPECT_EQ(figure.high, 1);
      EXPECT_LT(figure.low, 1 - 1.0 / static_cast<double>(items));
      EXPECT_GT(figure.low, last);
      last = figure.low;
      EXPECT_GT(FloorPValue(*metric, scores, 1), 0.4);
    }
  }
}

TEST(QualityAtTheEdge, ARareClassLeavesMoreDoubtThanACommonOne) {
  const auto metric = MetricOf("f1:b");
  const auto rare = Random("f1:b", 1000, 1, 0.01, 0, 3);
  const auto common = Random("f1:b", 1000, 1, 0.5, 0, 3);
  EXPECT_LT(QualityOf(*metric, rare, "test").low,
            QualityOf(*metric, common, "test").low - 0.1);
}

TEST(QualityAtTheEdge, OneGroupIsWorthOneItem) {
  const auto metric = MetricOf("accuracy");
  const auto figure = QualityOf(*metric, Binary(90, 10, 100), "test");
  const Interval one = WilsonShareInterval(0.9, 1);
  EXPECT_EQ(figure.low, one.low);
  EXPECT_EQ(figure.high, one.high);
  const Comparison same =
      Compare(*metric, Binary(90, 10, 100), Binary(90, 10, 100), 0.05);
  EXPECT_FALSE(same.non_inferior);
}

TEST(Quality, PValueAndIntervalAgreeOnTheBound) {
  for (const char* name : {"macro-f1", "f1:b", "log-loss"}) {
    const auto metric = MetricOf(name);
    const auto a = Random(name, 300, 1, 0.3, 0.15, 31);
    const auto b = Random(name, 300, 1, 0.3, 0.15, 31 + 1);
    const Comparison first = Compare(*metric, a, b, 0);
    if (first.interval.low >= 0) continue;
    EXPECT_NEAR(Compare(*metric, a, b, -first.interval.low).p_value, 0.05, 1e-6)
        << name;
  }
}

TEST(Quality, SkewedLossesAreCovered) {
  // Log-normal losses: the true mean lies within the 95 % interval about as
  // often as it says, below and above.
  const auto metric = MetricOf("log-loss");
  Rng rng(8);
  int below = 0;
  int above = 0;
  constexpr int kRuns = 1500;
  const double truth = std::exp(0.5) / 10;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<ItemScore> scores;
    for (uint64_t i = 0; i < 80; ++i)
      scores.push_back(
          {i, i, std::exp(NormalQuantile((rng.Next() + 0.5) * 0x1p-32)) / 10});
    const auto figure = QualityOf(*metric, scores, "test");
    below += truth < figure.low ? 1 : 0;
    above += truth > figure.high ? 1 : 0;
  }
  EXPECT_LT(below, 0.05 * kRuns);
  EXPECT_LT(above, 0.06 * kRuns);
  EXPECT_GT(below + above, 0.02 * kRuns);
}

}  // namespace
}  // namespace modicum
