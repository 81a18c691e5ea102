// SPDX-License-Identifier: Apache-2.0
#include "plan/improve_plan.h"

#include <gtest/gtest.h>

#include "place/place.h"
#include "plan/test_plans.h"

namespace modicum {
namespace {

ImproveQuery Gpt3() {
  ImproveQuery query;
  query.now.model = FindArchitecture("gpt-3").value();
  query.now.chip = **FindAccelerator("v100");
  query.now.place = FindPlace({.region = "US", .provider = "on-prem"}).value();
  query.now.tokens = 300e9;
  query.now.early_stack = true;
  return query;
}

const std::vector<std::string>& Row(const Plan& plan, size_t i) {
  return plan.tables.at(0).rows.at(i);
}

// Each step's factor is what training itself says before and after it.
TEST(ImprovePlan, TheProductOfTheStepsIsTheWhole) {
  const auto plan = PlanImprovements(Gpt3());
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_NEAR(Mid(*plan, "carbon_factor"),
              Mid(*plan, "now_tco2e") / Mid(*plan, "after_tco2e"),
              1e-9 * Mid(*plan, "carbon_factor"));
  EXPECT_NEAR(Mid(*plan, "energy_factor"),
              Mid(*plan, "now_mwh") / Mid(*plan, "after_mwh"),
              1e-9 * Mid(*plan, "energy_factor"));
  double sum = 0;
  for (const PlanBar::Part& part : plan->bars.at(0).parts) sum += part.value;
  EXPECT_NEAR(sum, Mid(*plan, "now_tco2e"), 1e-9 * sum);
  for (size_t i = 0; i < 4; ++i) EXPECT_NE(Row(*plan, i)[1], "not taken") << i;
}

TEST(ImprovePlan, StepsThatChangeNothingAreNotTaken) {
  ImproveQuery query = Gpt3();
  query.model = query.now.model;
  query.chip = query.now.chip;
  query.provider = "on-prem";
  query.region = "US";
  const auto plan = PlanImprovements(query);
  ASSERT_TRUE(plan);
  EXPECT_NEAR(Mid(*plan, "carbon_factor"), 1, 1e-12);
  for (size_t i = 1; i < 4; ++i) EXPECT_EQ(Row(*plan, i)[1], "not taken");
}

// What is chosen here is never worse; what is named may be.
TEST(ImprovePlan, ACleanGridStays) {
  ImproveQuery query = Gpt3();
  query.now.place = FindPlace({.region = "NO", .provider = "gcp"}).value();
  const auto stays = PlanImprovements(query);
  ASSERT_TRUE(stays);
  EXPECT_EQ(Row(*stays, 2)[1], "not taken");
  EXPECT_EQ(Row(*stays, 3)[1], "not taken");
  query.region = "PL";
  const auto worse = PlanImprovements(query);
  ASSERT_TRUE(worse);
  EXPECT_LT(std::stod(Row(*worse, 3)[4]), 1);
}

// GPT-3 has 1.7 tokens per parameter: far too few.
TEST(ImprovePlan, AnUndertrainedModelBecomesSmaller) {
  const auto plan = PlanImprovements(Gpt3());
  ASSERT_TRUE(plan);
  EXPECT_GT(std::stod(Row(*plan, 0)[4]), 1.2);
  EXPECT_EQ(Row(*plan, 0)[6], "5 to 10");
}

TEST(ImprovePlan, AModelWithManyTokensStays) {
  ImproveQuery query = Gpt3();
  query.now.model = FindArchitecture("llama-3-8b").value();
  query.now.tokens = 15e12;
  const auto plan = PlanImprovements(query);
  ASSERT_TRUE(plan);
  EXPECT_EQ(Row(*plan, 0)[1], "not taken");
}

// Patterson et al.: GLaM's active parameters against GPT-3's.
TEST(ImprovePlan, ANamedModelCountsByItsActiveParameters) {
  ImproveQuery query = Gpt3();
  query.model = FindArchitecture("mixtral-8x7b").value();
  const auto plan = PlanImprovements(query);
  ASSERT_TRUE(plan);
  EXPECT_NEAR(std::stod(Row(*plan, 0)[4]),
              query.now.model.active / query.model->active, 0.1);
}

TEST(ImprovePlan, GivenHoursAreScaled) {
  ImproveQuery query = Gpt3();
  query.now.gpu_hours = 3552000;
  query.now.watts = 330;
  const auto plan = PlanImprovements(query);
  ASSERT_TRUE(plan);
  EXPECT_NEAR(Mid(*plan, "carbon_factor"),
              Mid(*plan, "now_tco2e") / Mid(*plan, "after_tco2e"),
              1e-9 * Mid(*plan, "carbon_factor"));
}

TEST(ImprovePlan, BadInput) {
  ImproveQuery query = Gpt3();
  query.region = "Narna";
  EXPECT_EQ(PlanImprovements(query).error().code, ErrorCode::kNotFound);
  query = Gpt3();
  query.now.setup.adapter.rank = 8;
  EXPECT_FALSE(PlanImprovements(query));
  query = Gpt3();
  query.tokens = 1e9;
  EXPECT_EQ(PlanImprovements(query).error().message,
            "--to-tokens without a --to-model");
}

}  // namespace
}  // namespace modicum
