// SPDX-License-Identifier: Apache-2.0
#include "plan/size_plan.h"

#include <gtest/gtest.h>

#include "place/place.h"
#include "plan/test_plans.h"

namespace modicum {
namespace {

SizeQuery SizeFor(TrainBudget budget) {
  SizeQuery query;
  query.budget = budget;
  TrainQuery train;
  train.chip = **FindAccelerator("h100");
  train.place = FindPlace({.region = "PL"}).value();
  query.train = std::move(train);
  return query;
}

TEST(SizePlan, AFlopBudgetNeedsNoChip) {
  SizeQuery query;
  query.budget = Flops(5.76e23);
  const auto plan = PlanSizing(query);
  ASSERT_TRUE(plan);
  EXPECT_NEAR(
      6e18 * Mid(*plan, "parameters_billion") * Mid(*plan, "tokens_billion"),
      5.76e23, 1e15);
  EXPECT_TRUE(Find(*plan, "flop").exact());
  const Range<double>& loss = Find(*plan, "loss").range;
  EXPECT_LT(loss.low, loss.mid);
}

// Money and energy buy what the training planner says of that chip, so that
// its plan of the model sized costs the budget again.
TEST(SizePlan, MoneyAndEnergyAreWhatTrainingWouldTake) {
  const SizeQuery money = SizeFor(Amount(5000));
  const auto plan = PlanSizing(money);
  ASSERT_TRUE(plan);
  EXPECT_DOUBLE_EQ(Mid(*plan, "cost"), 5000);
  EXPECT_TRUE(Find(*plan, "cost").exact());
  TrainInputs in = TrainInputsOf(*money.train, 1);
  in.flop = Mid(*plan, "flop");
  const TrainFigures figures = EstimateTraining(in);
  EXPECT_NEAR(figures.rent.mid, 5000, 1e-6);
  EXPECT_NEAR(figures.energy_mwh.mid, Mid(*plan, "energy_mwh"), 1e-9);

  const auto energy = PlanSizing(SizeFor(KilowattHours(2000)));
  ASSERT_TRUE(energy);
  EXPECT_TRUE(Find(*energy, "energy_mwh").exact());
  in.flop = Mid(*energy, "flop");
  EXPECT_NEAR(EstimateTraining(in).energy_mwh.mid, 2, 1e-9);
}

TEST(SizePlan, AnUncertainBudgetWidensTheSizes) {
  const auto money = PlanSizing(SizeFor(Amount(5000)));
  ASSERT_TRUE(money);
  const auto flop = PlanSizing(SizeFor(Flops(Mid(*money, "flop"))));
  ASSERT_TRUE(flop);
  const auto width = [](const Plan& plan, const char* key) {
    return Find(plan, key).range.high / Find(plan, key).range.low;
  };
  EXPECT_GT(width(*money, "parameters_billion"),
            width(*flop, "parameters_billion"));
  EXPECT_GT(width(*money, "loss"), width(*flop, "loss"));
  EXPECT_NEAR(Mid(*money, "parameters_billion"),
              Mid(*flop, "parameters_billion"), 1e-9);
}

TEST(SizePlan, LifetimeIsSmallerForTheSameLoss) {
  SizeQuery query;
  query.budget = Flops(1e22);
  query.lifetime_tokens = 1e12;
  const auto plan = PlanSizing(query);
  ASSERT_TRUE(plan);
  EXPECT_LT(Mid(*plan, "lifetime_parameters_billion"),
            Mid(*plan, "parameters_billion"));
  EXPECT_NEAR(Mid(*plan, "lifetime_loss"), Mid(*plan, "loss"), 1e-9);
  EXPECT_LT(Mid(*plan, "lifetime_total_flop"), Mid(*plan, "total_flop"));
  EXPECT_NEAR(6e18 * Mid(*plan, "lifetime_parameters_billion") *
                  Mid(*plan, "lifetime_tokens_billion") /
                  Mid(*plan, "lifetime_training_flop"),
              1, 1e-9);
  EXPECT_FALSE(Find(*plan, "lifetime_training_flop").exact());
}

TEST(SizePlan, BudgetsAreReadOrRefused) {
  EXPECT_EQ(std::get<Flops>(*ParseBudget("1e21flop", "--budget")).value(),
            1e21);
  EXPECT_EQ(std::get<Amount>(*ParseBudget("5000 usd", "--budget")).value(),
            5000);
  EXPECT_EQ(std::get<Joules>(*ParseBudget("2MWh", "--budget")),
            KilowattHours(2000));
  const std::pair<const char*, const char*> bad[] = {
      {"0flop", "--budget 0flop is not above zero"},
      {"-5usd", "--budget -5usd is not above zero"},
      {"2MW", "--budget '2MW' has no unit that fits: 'MW'"},
      {"1e21", "--budget '1e21' has no unit that fits: ''"},
      {"5eur", "--budget '5eur' has no unit that fits: 'eur'"},
      {"MWh", "--budget 'MWh' is not a number"},
      {"1e999flop", "--budget 1e999flop overflows"}};
  for (const auto& [text, message] : bad) {
    const auto budget = ParseBudget(text, "--budget");
    ASSERT_FALSE(budget) << text;
    EXPECT_EQ(budget.error().message, message);
  }
}

TEST(SizePlan, RefusesWhatTrainsNothing) {
  SizeQuery query;
  query.budget = Amount(5);
  EXPECT_FALSE(PlanSizing(query));  // no chip
  query.budget = Flops(5000);
  const auto plan = PlanSizing(query);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().message,
            "a budget of 5000 FLOP is no language model's");
}

}  // namespace
}  // namespace modicum
