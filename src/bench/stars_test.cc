// SPDX-License-Identifier: Apache-2.0
#include "bench/stars.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "record/sample_bench.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <class Rule>
std::vector<int> StarsOf(const std::vector<double>& set, Rule rule) {
  std::vector<int> stars;
  for (const double joules : set) stars.push_back(rule(joules, set));
  return stars;
}

// kWh per 1,000 images of the ten diffusion models in the raw logs of the
// Power Hungry Processing study (github.com/sashavor/co2_inference, MIT), from
// tiny-sd to SDXL: SDXL stretches the equal bands so far that seven of ten
// have five stars and none has two or three.
TEST(Stars, TheTwoRulesDisagreeOnTheStudysDiffusionModels) {
  const std::vector<double> kwh = {0.755471, 0.772164, 1.264700, 1.312383,
                                   1.338207, 1.343607, 1.347813, 3.041270,
                                   3.391283, 11.293467};
  EXPECT_THAT(StarsOf(kwh, EqualWidthStars),
              ElementsAre(5, 5, 5, 5, 5, 5, 5, 4, 4, 1));
  EXPECT_THAT(StarsOf(kwh, QuintileStars),
              ElementsAre(5, 5, 4, 4, 3, 3, 2, 2, 1, 1));
}

TEST(Stars, EvenEnergiesHaveTheSameStarsByBothRules) {
  const std::vector<double> even = {1, 2, 3, 4, 5};
  EXPECT_THAT(StarsOf(even, EqualWidthStars), ElementsAre(5, 4, 3, 2, 1));
  EXPECT_THAT(StarsOf(even, QuintileStars), ElementsAre(5, 4, 3, 2, 1));
}

TEST(Stars, EqualEnergiesHaveEqualStars) {
  const std::vector<double> all(7, 3.0);
  EXPECT_THAT(StarsOf(all, EqualWidthStars), ElementsAre(5, 5, 5, 5, 5, 5, 5));
  EXPECT_THAT(StarsOf(all, QuintileStars), ElementsAre(5, 5, 5, 5, 5, 5, 5));
}

TEST(Stars, WhatLiesOutsideOfTheSetHasTheNearestStars) {
  const std::vector<double> set = {10, 20, 30, 40, 50};
  EXPECT_EQ(EqualWidthStars(1, set), 5);
  EXPECT_EQ(EqualWidthStars(1000, set), 1);
  EXPECT_EQ(QuintileStars(1, set), 5);
  EXPECT_EQ(QuintileStars(1000, set), 1);
  EXPECT_EQ(EqualWidthStars(4, std::vector<double>(5, 3.0)), 1);
}

BenchResult FiveRows() {
  BenchResult result = SampleBench();
  result.rows.pop_back();  // the one that failed
  return result;
}

TEST(Stars, RowsOfOneWorkloadAndScopeAreRatedAmongThemselves) {
  BenchResult result = SampleBench();
  RateRows(result, nullptr);
  std::vector<int> width;
  std::vector<int> quintile;
  for (const BenchRow& row : result.rows) {
    if (!row.joules_per_1000) continue;
    width.push_back(row.stars_equal_width.value_or(0));
    quintile.push_back(row.stars_quintile.value_or(0));
  }
  EXPECT_THAT(width, ElementsAre(5, 5, 5, 5, 1));
  EXPECT_THAT(quintile, ElementsAre(5, 4, 2, 3, 1));
  ASSERT_EQ(result.star_sets.size(), 1U);
  const StarSet& set = result.star_sets[0];
  EXPECT_EQ(set.rows, 5U);
  EXPECT_EQ(set.machines, 1U);
  EXPECT_EQ(set.source, "these rows");
  EXPECT_EQ(set.about,
            "text-classification, sst2.test, scope package, modelled, idle "
            "proportional");
  EXPECT_EQ(result.rows[0].star_set, set.sha256);
  EXPECT_FALSE(result.rows[5].stars_quintile.has_value());
  EXPECT_EQ(result.rows[5].unrated, "");
}

TEST(Stars, TheSetsHashIsOfItsSortedLines) {
  const BenchResult result = FiveRows();
  std::vector<const BenchRow*> rows;
  for (const BenchRow& row : result.rows) rows.push_back(&row);
  const std::string machine = result.rows[0].machine;
  EXPECT_EQ(StarSetHash(rows),
            ToHex(Sha256Of("0.00017\tmajority.modicum\t" + machine +
                           "\n0.043\tlinear.modicum\t" + machine +
                           "\n0.051\tforest.modicum\t" + machine +
                           "\n0.22\tfasttext.modicum\t" + machine +
                           "\n41\ttiny.gguf\t" + machine + "\n")));
}

TEST(Stars, PublishedFiguresAreNotRatedAndTheReportSaysWhy) {
  BenchResult result = SampleBench();
  RateRows(result, nullptr);
  RateRows(result, nullptr);  // says it once
  ASSERT_EQ(result.notes.size(), 1U);
  EXPECT_EQ(result.notes[0],
            "published figures are not rated with these rows: theirs is "
            "another scope (node of 8 A100, RAM as a constant 431 W, CPU as "
            "42.5 W), these are scope package");
}

TEST(Stars, FourRowsTellNothingByFifths) {
  BenchResult result = FiveRows();
  result.rows.pop_back();
  RateRows(result, nullptr);
  EXPECT_TRUE(result.star_sets.empty());
  for (const BenchRow& row : result.rows) {
    EXPECT_FALSE(row.stars_equal_width.has_value());
    EXPECT_EQ(row.unrated,
              "only 4 rows of its workload and scope: fewer than 5 tell "
              "nothing by fifths");
  }
}

TEST(Stars, AReferenceOfAnotherScopeIsRefused) {
  BenchResult result = FiveRows();
  StarReference reference{result.rows, "reference node.json"};
  for (BenchRow& row : reference.rows)
    row.joules_per_1000->scope = Scope::kWall;
  RateRows(result, &reference);
  EXPECT_EQ(result.rows[0].unrated,
            "its scope is package, the set's wall: figures of different scopes "
            "are not rated together");
  EXPECT_FALSE(result.rows[0].stars_quintile.has_value());
  for (BenchRow& row : reference.rows) {
    row.joules_per_1000->scope = Scope::kPackage;
    row.joules_per_1000->origin = Origin::kCounter;
  }
  RateRows(result, &reference);
  EXPECT_EQ(result.rows[0].unrated,
            "its energy is modelled, the set's measured: they are not rated "
            "together");
  for (BenchRow& row : reference.rows) {
    row.joules_per_1000->origin = Origin::kModelled;
    row.idle_policy = "full";
  }
  RateRows(result, &reference);
  EXPECT_EQ(result.rows[0].unrated,
            "its idle is charged proportional, the set's full: they are not "
            "rated together");
}

TEST(Stars, AnotherWorkloadIsRefused) {
  for (const int change : {0, 1, 2, 3}) {
    BenchResult result = FiveRows();
    const StarReference reference{result.rows, "reference old.json"};
    for (BenchRow& row : result.rows) {
      if (change == 0) row.task = "embeddings";
      if (change == 1) row.data_hash = Sha256Of("other");
      if (change == 2) row.batch = 8;
      if (change == 3) row.length = 20;
    }
    RateRows(result, &reference);
    EXPECT_EQ(result.rows[0].unrated,
              "no row of the set has the same task, data, batch and length");
  }
}

TEST(Stars, OneRowIsRatedAmongAReference) {
  BenchResult result = FiveRows();
  const StarReference reference{result.rows, "reference old.json"};
  result.rows.resize(1);
  result.rows[0].joules_per_1000->mid = Joules(0.05);
  RateRows(result, &reference);
  EXPECT_EQ(result.rows[0].stars_equal_width, 5);
  EXPECT_EQ(result.rows[0].stars_quintile, 3);
  ASSERT_EQ(result.star_sets.size(), 1U);
  EXPECT_EQ(result.star_sets[0].source, "reference old.json");
  EXPECT_EQ(result.star_sets[0].rows, 5U);
}

}  // namespace
}  // namespace modicum
