// SPDX-License-Identifier: Apache-2.0
#include "plan/training.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "place/place.h"
#include "plan/test_plans.h"
#include "plan/train_plan.h"

namespace modicum {
namespace {

TrainQuery TrainingOf(const char* model, double tokens, const char* chip) {
  TrainQuery query;
  query.model = FindArchitecture(model).value();
  query.chip = Chip(chip);
  query.place = FindPlace({}).value();
  query.tokens = tokens;
  return query;
}

// Its paper: GPU-hours x 400 W x 1.1 x 0.385 kg, cut to two decimals.
TEST(Training, Llama2EmissionsAreExact) {
  const std::tuple<const char*, double, double> expected[] = {
      {"llama-2-7b", 184320, 31.22},
      {"llama-2-13b", 368640, 62.44},
      {"llama-2-70b", 1720320, 291.42}};
  for (const auto& [model, hours, tonnes] : expected) {
    TrainQuery query = TrainingOf(model, 2e12, "a100-80");
    query.count = 1024;
    query.gpu_hours = hours;
    query.watts = 400;
    query.place = FindPlace({.intensity = 385, .pue = 1.1}).value();
    const auto plan = PlanTraining(query);
    ASSERT_TRUE(plan);
    EXPECT_EQ(std::floor(Mid(*plan, "tco2e") * 100) / 100, tonnes) << model;
  }
}

TEST(Training, ProductsOfSpreadsAreWhatSamplingGives) {
  TrainInputs inputs;
  inputs.flop = 1e23;
  inputs.peak = 312e12;
  inputs.devices = 512;
  inputs.efficiency = {0.4, 0.25};
  inputs.watts = {420, 0.2};
  inputs.pue = {1.2, 0.05};
  inputs.intensity = {400, 0.15};
  inputs.water = {4, 0.5};
  inputs.embodied = {10, 0.4};
  const Range<double> closed = EstimateTraining(inputs).tco2e.range();
  Rng rng(7);
  const auto normal = [&rng] {
    return std::sqrt(-2 * std::log(1 - rng.Unit())) *
           std::cos(2 * 3.14159265358979 * rng.Unit());
  };
  const auto draw = [&](const Spread& s) {
    return s.mid * std::exp(s.sd * normal());
  };
  std::vector<double> tonnes;
  for (int i = 0; i < 100000; ++i)
    tonnes.push_back(inputs.flop / 3600 / inputs.peak /
                     draw(inputs.efficiency) * draw(inputs.watts) / 1000 *
                     draw(inputs.pue) * draw(inputs.intensity) / 1e6);
  std::ranges::sort(tonnes);
  EXPECT_NEAR(closed.low / tonnes[10000], 1, 0.02);
  EXPECT_NEAR(closed.mid / tonnes[50000], 1, 0.02);
  EXPECT_NEAR(closed.high / tonnes[90000], 1, 0.02);
}

TEST(Training, MoreGpusTakeLessTimeAndAsManyHours) {
  TrainQuery query = TrainingOf("llama-2-7b", 2e12, "a100-80");
  query.count = 512;
  const Plan half = PlanTraining(query).value();
  query.count = 1024;
  const Plan whole = PlanTraining(query).value();
  EXPECT_DOUBLE_EQ(Mid(half, "gpu_hours"), Mid(whole, "gpu_hours"));
  EXPECT_DOUBLE_EQ(Mid(half, "days"), 2 * Mid(whole, "days"));
}

TEST(Training, WhatDoesNotFitSaysSoAndIsAPlan) {
  TrainQuery query = TrainingOf("llama-3.1-405b", 1e12, "rtx4090");
  query.count = 8;
  const auto plan = PlanTraining(query);
  ASSERT_TRUE(plan);
  EXPECT_FALSE(*plan->fits);
  EXPECT_NE(plan->verdict.find("of 24 GB per GPU"), std::string::npos)
      << plan->verdict;
}

TEST(Training, LeavingAFamilyOutChangesItsPriorAlone) {
  const Accelerator& h100 = Chip("h100");
  const double all = EfficiencyPrior(h100, false).mid;
  EXPECT_NE(EfficiencyPrior(h100, false, "DeepSeek").mid, all);
  EXPECT_EQ(EfficiencyPrior(h100, false, "BLOOM").mid, all);
}

TEST(Training, IntensityOfZeroIsRefused) {
  TrainQuery query = TrainingOf("llama-2-7b", 2e12, "a100-80");
  query.place = FindPlace({.intensity = 0}).value();
  const auto plan = PlanTraining(query);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().message,
            "an intensity of 0 g/kWh is missing data, not clean power");
}

TEST(Training, HoursAndEfficiencyContradict) {
  TrainQuery query = TrainingOf("llama-2-7b", 2e12, "a100-80");
  query.gpu_hours = 1e5;
  query.efficiency = 0.4;
  EXPECT_EQ(PlanTraining(query).error().message,
            "--gpu-hours and --mfu contradict each other");
}

}  // namespace
}  // namespace modicum
