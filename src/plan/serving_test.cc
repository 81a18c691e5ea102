// SPDX-License-Identifier: Apache-2.0
#include "plan/serving.h"

#include <gtest/gtest.h>

#include "place/place.h"
#include "plan/serve_plan.h"
#include "plan/test_plans.h"

namespace modicum {
namespace {

ServeQuery ServingOf(const char* model, double qps) {
  ServeQuery query;
  query.model = FindArchitecture(model).value();
  query.chip = Chip("h100");
  query.place = FindPlace({}).value();
  query.qps = qps;
  query.prompt = 800;
  query.output = 300;
  return query;
}

TEST(Serving, BatchMakesATokenCheaperAndSlower) {
  const Architecture model = FindArchitecture("llama-3.1-8b").value();
  const Replica replica{&model, &Chip("h100"), 1, 16, 16, 989e12};
  Iteration before = DecodeIteration(replica, 1, 500);
  for (double batch = 2; batch <= 512; batch *= 2) {
    const Iteration after = DecodeIteration(replica, batch, 500);
    EXPECT_LT(after.joules / batch, before.joules / (batch / 2));
    EXPECT_GT(after.seconds, before.seconds);
    before = after;
  }
}

TEST(Serving, AMixtureReadsTheExpertsThatWereChosen) {
  const Architecture model = FindArchitecture("deepseek-v3").value();
  const Replica replica{&model, &Chip("b200"), 8, 8, 16, 4500e12};
  // One token: 8 of 256 experts; many: all.
  const double one = DecodeIteration(replica, 1, 1).bytes;
  EXPECT_NEAR(one, model.parameters - model.expert_parameters * 248 / 256, 1e8);
  EXPECT_NEAR(DecodeIteration(replica, 5000, 0).bytes, model.parameters, 1e8);
}

TEST(Serving, CacheLimitsTheBatchExactly) {
  const Architecture model = FindArchitecture("llama-2-7b").value();
  const Replica replica{&model, &Chip("a100-80"), 1, 16, 16, 312e12};
  const double most = MostSequences(replica, 4096);
  EXPECT_EQ(most, std::floor((72e9 - 2 * 6738415616.0) / (4096 * 524288.0)));
}

TEST(Serving, ChosenPointMeetsItsTarget) {
  for (const double qps : {0.01, 1.0, 20.0, 1000.0}) {
    ServeQuery query = ServingOf("llama-3.1-8b", qps);
    query.p95 = 6;
    const auto point = ChooseServing(query, nullptr);
    ASSERT_TRUE(point) << qps;
    EXPECT_LE(point->p95, 6);
    EXPECT_LE(point->batch, point->most);
    // What arrives is finished: Little's law.
    const double latency = point->batch / (qps / point->replicas);
    EXPECT_GT(latency, 0);
    EXPECT_LE(latency, point->p95);
  }
}

TEST(Serving, TighterTargetsNeedMoreGpus) {
  ServeQuery query = ServingOf("llama-3.1-8b", 200);
  query.p95 = 20;
  const auto loose = ChooseServing(query, nullptr);
  query.p95 = 4;
  const auto tight = ChooseServing(query, nullptr);
  ASSERT_TRUE(loose && tight);
  EXPECT_GT(tight->gpus(), loose->gpus());
  query.p95 = 0.1;
  std::string why;
  EXPECT_FALSE(ChooseServing(query, &why));
  EXPECT_NE(why.find("one query alone takes"), std::string::npos) << why;
}

TEST(Serving, MarginIsOneLessCostOverPrice) {
  ServeQuery query = ServingOf("llama-3.1-8b", 20);
  query.price = 0.0004;
  const Plan plan = PlanServing(query).value();
  EXPECT_DOUBLE_EQ(Mid(plan, "gross_margin"),
                   1 - Mid(plan, "cost_per_query") / 0.0004);
  EXPECT_EQ(Mid(plan, "kv_bytes_per_token"), 131072);
}

TEST(Serving, IdleHoursMakeQueriesDearer) {
  ServeQuery query = ServingOf("llama-3.1-8b", 20);
  const Plan always = PlanServing(query).value();
  query.busy_hours = 8;
  const Plan office = PlanServing(query).value();
  EXPECT_DOUBLE_EQ(Mid(office, "cost_per_query"),
                   3 * Mid(always, "cost_per_query"));
  EXPECT_GT(Mid(office, "wh_per_query"), Mid(always, "wh_per_query"));
}

TEST(Serving, CachedPromptsAreCheaper) {
  ServeQuery query = ServingOf("llama-3.1-8b", 20);
  const Plan whole = PlanServing(query).value();
  query.cached = 780;
  const Plan cached = PlanServing(query).value();
  EXPECT_LT(Mid(cached, "joules_per_token"), Mid(whole, "joules_per_token"));
  query.cached = 800;
  EXPECT_EQ(PlanServing(query).error().message,
            "800 cached tokens of a prompt of 800");
}

TEST(Serving, EncodersAreRefused) {
  EXPECT_EQ(PlanServing(ServingOf("bert-base", 1)).error().message,
            "bert-base encodes: it generates no tokens");
}

}  // namespace
}  // namespace modicum
