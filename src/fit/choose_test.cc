// SPDX-License-Identifier: Apache-2.0
#include "fit/choose.h"

#include <gtest/gtest.h>

namespace modicum {
namespace {

class ChooseTest : public ::testing::Test {
 protected:
  // Right on the first `right` of `total` items.
  static Contender Make(std::string name, size_t right, size_t total,
                        double joules) {
    Contender contender;
    contender.name = std::move(name);
    for (size_t i = 0; i < total; ++i)
      contender.scores.push_back({i, i, i < right ? 1.0 : 0.0});
    contender.joules_per_1000 =
        Exactly(Joules(joules), Origin::kModelled, Scope::kPackage);
    return contender;
  }
  std::unique_ptr<Metric> accuracy_ = *MakeMetric("accuracy", {"a", "b"});
};

TEST_F(ChooseTest, TheCheapestWithinTheMarginWins) {
  const Choice choice =
      Choose(*accuracy_,
             {Make("majority", 1400, 2000, 0.01), Make("linear", 1990, 2000, 1),
              Make("big", 1992, 2000, 50)},
             {.within = 0.01, .floor = {}});
  ASSERT_TRUE(choice.chosen);
  EXPECT_EQ(*choice.chosen, 1U);
  EXPECT_EQ(*choice.best, 2U);
  EXPECT_FALSE(choice.judgements[0].feasible);
  EXPECT_EQ(choice.judgements[0].reason, "fails: 29.6 pt worse");
  EXPECT_TRUE(choice.judgements[1].established);
}

TEST_F(ChooseTest, TheFloorMustBeMetByTheLowerEnd) {
  const Choice choice =
      Choose(*accuracy_, {Make("x", 976, 1000, 1), Make("y", 990, 1000, 2)},
             {.within = {}, .floor = 0.975});
  EXPECT_EQ(*choice.chosen, 1U);
  EXPECT_EQ(choice.judgements[0].reason, "fails: lower end 96.5 % < 97.5 %");
}

TEST_F(ChooseTest, NothingFeasibleIsNoChoice) {
  const Choice choice = Choose(*accuracy_, {Make("x", 50, 100, 1)},
                               {.within = {}, .floor = 0.99});
  EXPECT_FALSE(choice.chosen);
  EXPECT_EQ(*choice.best, 0U);
}

TEST_F(ChooseTest, AMissingMetricIsInfeasibleNeverBest) {
  Contender failed;
  failed.name = "failed";
  failed.failure = "it broke";
  failed.joules_per_1000 =
      Exactly(Joules(0.001), Origin::kModelled, Scope::kPackage);
  Contender costless = Make("costless", 100, 100, 1);
  costless.joules_per_1000.reset();
  const Choice choice =
      Choose(*accuracy_, {failed, costless, Make("x", 99, 100, 1)},
             {.within = 0.05, .floor = {}});
  EXPECT_EQ(choice.judgements[0].reason, "it broke");
  EXPECT_FALSE(choice.judgements[0].feasible);
  EXPECT_FALSE(choice.judgements[1].feasible);
  EXPECT_EQ(*choice.chosen, 2U);
  EXPECT_FALSE(Choose(*accuracy_, {failed}, {.within = 0.1, .floor = {}})
                   .best.has_value());
}

TEST_F(ChooseTest, FewItemsChooseByPointEstimateAndSaySo) {
  const Choice choice =
      Choose(*accuracy_, {Make("x", 48, 50, 1), Make("y", 48, 50, 5)},
             {.within = 0.01, .floor = {}});
  EXPECT_EQ(*choice.chosen, 0U);
  EXPECT_TRUE(choice.judgements[1].feasible);
  EXPECT_GT(Choose(*accuracy_, {Make("x", 47, 50, 1), Make("y", 48, 50, 5)},
                   {.within = 0.03, .floor = {}})
                .smallest_detectable,
            0.03);
}

TEST_F(ChooseTest, CostsThatAreTheSameWithinNoiseGoToTheMoreAccurate) {
  const Choice choice =
      Choose(*accuracy_,
             {Make("x", 1990, 2000, 1.00), Make("y", 1992, 2000, 1.04),
              Make("z", 1993, 2000, 1.06)},
             {.within = 0.01, .floor = {}});
  EXPECT_EQ(*choice.chosen, 1U);
}

TEST_F(ChooseTest, TiesInQualityGoToTheCheaper) {
  const Choice choice =
      Choose(*accuracy_, {Make("dear", 100, 100, 5), Make("x", 100, 100, 1)},
             {.within = 0, .floor = {}});
  EXPECT_EQ(*choice.best, 1U);
  EXPECT_EQ(*choice.chosen, 1U);
}

TEST_F(ChooseTest, ALossThatTheItemsCannotTellIsNotEstablished) {
  const Choice choice =
      Choose(*accuracy_, {Make("x", 25, 50, 1), Make("y", 27, 50, 2)},
             {.within = 0.01, .floor = {}});
  EXPECT_EQ(*choice.chosen, 1U);
  EXPECT_FALSE(choice.judgements[0].feasible);
  EXPECT_FALSE(choice.judgements[0].established);
  EXPECT_EQ(choice.judgements[0].reason,
            "fails: 4.0 pt worse (not established)");
}

// Where every candidate scores nothing, the best of them is none the better.
TEST_F(ChooseTest, AScoreOfNothingIsNeverGoodEnough) {
  const Choice choice =
      Choose(*accuracy_, {Make("x", 0, 50, 1), Make("y", 0, 50, 2)},
             {.within = 0.01, .floor = {}});
  EXPECT_FALSE(choice.chosen);
  EXPECT_EQ(choice.judgements[0].reason, "fails: its accuracy is 0.0 %");
}

}  // namespace
}  // namespace modicum
