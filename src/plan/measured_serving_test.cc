// SPDX-License-Identifier: Apache-2.0
#include "plan/measured_serving.h"

#include <gtest/gtest.h>

#include <cmath>

#include "place/place.h"
#include "plan/serve_plan.h"
#include "plan/serving.h"
#include "plan/test_plans.h"

namespace modicum {
namespace {

// A run that took `time` and `joules` times what the serving model says.
MeasuredRun RunOf(const char* preset, double time, double joules) {
  MeasuredRun run;
  run.model = preset;
  run.shape = FindArchitecture(preset).value();
  run.prompt = 200;
  run.passes = 100;
  const Accelerator& chip = Chip("epyc-milan");
  const Replica replica{&*run.shape, &chip, 1, 16, 16, chip.Peak("bf16")};
  const Iteration prefill = Prefill(replica, run.prompt);
  const Iteration decode = DecodeIteration(replica, 1, 250);
  run.prefill_s = prefill.seconds * time;
  run.decode_s = run.passes * decode.seconds * time;
  run.prefill_j = prefill.joules * joules;
  run.decode_j = run.passes * decode.joules * joules;
  return run;
}

TEST(MeasuredServing, WhatAgreesNarrowsAndMovesNothing) {
  const MeasuredRun runs[] = {RunOf("llama-2-7b", 1, 1),
                              RunOf("llama-3.1-8b", 1, 1)};
  const auto fit = FitServing(Chip("epyc-milan"), runs);
  ASSERT_TRUE(fit.has_value());
  EXPECT_EQ(fit->runs, 2U);
  EXPECT_EQ(fit->models, 2U);
  EXPECT_NEAR(fit->decode.mid, 1, 1e-9);
  EXPECT_NEAR(fit->prefill.mid, 1, 1e-9);
  EXPECT_NEAR(fit->energy.mid, 1, 1e-9);
  EXPECT_LT(fit->decode.sd, CoefficientsOf(Chip("epyc-milan")).time_sd);
}

TEST(MeasuredServing, MoreModelsPullHarder) {
  std::vector<MeasuredRun> runs;
  double last = 1;
  for (const char* preset : {"llama-2-7b", "llama-3.1-8b", "qwen3-14b"}) {
    runs.push_back(RunOf(preset, 3, 0.5));
    const auto fit = FitServing(Chip("epyc-milan"), runs);
    ASSERT_TRUE(fit.has_value());
    EXPECT_GT(fit->decode.mid, last);
    EXPECT_LT(fit->decode.mid, 3);
    EXPECT_LT(fit->energy.mid, 1);
    EXPECT_GT(fit->energy.mid, 0.5);
    last = fit->decode.mid;
  }
}

// A hundred runs of one model are one model.
TEST(MeasuredServing, AModelCountsOnce) {
  std::vector<MeasuredRun> runs = {RunOf("llama-2-7b", 2, 1)};
  const auto one = FitServing(Chip("epyc-milan"), runs);
  runs.resize(100, runs[0]);
  const auto many = FitServing(Chip("epyc-milan"), runs);
  EXPECT_DOUBLE_EQ(one->decode.mid, many->decode.mid);
  EXPECT_DOUBLE_EQ(one->decode.sd, many->decode.sd);
}

TEST(MeasuredServing, AModelledEnergyIsTrustedLess) {
  std::vector<MeasuredRun> runs = {RunOf("llama-2-7b", 1, 2)};
  const auto counted = FitServing(Chip("epyc-milan"), runs);
  runs[0].shared_sd = 0.5;
  const auto modelled = FitServing(Chip("epyc-milan"), runs);
  EXPECT_LT(modelled->energy.mid, counted->energy.mid);
  EXPECT_GT(modelled->energy.sd, counted->energy.sd);
}

TEST(MeasuredServing, WithoutAShapeThereIsNoFit) {
  MeasuredRun run = RunOf("llama-2-7b", 2, 1);
  run.shape.reset();
  EXPECT_FALSE(FitServing(Chip("epyc-milan"), {&run, 1}).has_value());
  ASSERT_EQ(MeasuredModels({&run, 1}).size(), 1U);
}

TEST(MeasuredServing, ModelsAreMeansPerToken) {
  MeasuredRun a = RunOf("llama-2-7b", 1, 1);
  MeasuredRun b = a;
  b.prompt *= 3;
  b.prefill_s *= 3;
  b.prefill_j *= 3;
  const MeasuredRun runs[] = {a, b};
  const auto models = MeasuredModels(runs);
  ASSERT_EQ(models.size(), 1U);
  EXPECT_EQ(models[0].runs, 2U);
  EXPECT_NEAR(models[0].prefill_s, a.prefill_s / a.prompt, 1e-12);
  EXPECT_NEAR(models[0].Seconds(a.prompt, a.passes), a.prefill_s + a.decode_s,
              1e-9);
  EXPECT_NEAR(models[0].Joules(a.prompt, a.passes).mid,
              a.prefill_j + a.decode_j, 1e-6);
}

// What each run errs by itself averages out, what all share does not.
TEST(MeasuredServing, OnlyOwnErrorsFallWithTheNumberOfRuns) {
  MeasuredRun run = RunOf("llama-2-7b", 1, 1);
  run.shared_sd = 0.1;
  run.own_sd = 0.4 * (run.prefill_j + run.decode_j);
  EXPECT_NEAR(MeasuredModels({&run, 1})[0].energy_sd, std::hypot(0.1, 0.4),
              1e-9);
  const std::vector<MeasuredRun> runs(16, run);
  EXPECT_NEAR(MeasuredModels(runs)[0].energy_sd, std::hypot(0.1, 0.1), 1e-9);
}

// The plan itself takes the factors, and says by how much.
TEST(MeasuredServing, APlanIsCorrected) {
  ServeQuery query;
  query.model = FindArchitecture("llama-3.1-8b").value();
  query.chip = Chip("epyc-milan");
  query.place = FindPlace({}).value();
  query.qps = 0.001;
  query.prompt = 200;
  query.output = 50;
  const auto before = PlanServing(query);
  const MeasuredRun runs[] = {RunOf("llama-3.1-8b", 2, 2)};
  query.fit = FitServing(query.chip, runs);
  query.measured = MeasuredModels(runs);
  query.machine = "EPYC";
  const auto after = PlanServing(query);
  ASSERT_TRUE(before.has_value() && after.has_value());
  EXPECT_NEAR(Mid(*after, "decode_joules_per_token"),
              query.fit->energy.mid * Mid(*before, "decode_joules_per_token"),
              1e-6 * Mid(*after, "decode_joules_per_token"));
  EXPECT_GT(Mid(*after, "tpot_s"), Mid(*before, "tpot_s"));
  ASSERT_FALSE(after->tables.empty());
  EXPECT_EQ(after->tables.back().title, "measured on EPYC");
  EXPECT_EQ(after->tables.back().rows.at(0).at(0), "llama-3.1-8b");
}

}  // namespace
}  // namespace modicum
