// SPDX-License-Identifier: Apache-2.0
#include "evaluate/repeats.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "evaluate/cost.h"

namespace modicum {
namespace {

RepeatSample Sample(double cpu, double model_error = 0.3) {
  RepeatSample sample{
      Seconds(2 * cpu), Seconds(cpu),
      Exactly(Joules(10 * cpu), Origin::kModelled, Scope::kPackage)};
  sample.energy.WithShared(InternSource("cpu-load model"), model_error);
  sample.energy.WithShared(InternSource(kWorkloadSource), 0.2);
  return sample;
}

std::vector<RepeatSample> Samples(std::vector<double> cpu) {
  std::vector<RepeatSample> samples;
  for (const double c : cpu) samples.push_back(Sample(c));
  return samples;
}

TEST(Repeats, StudentsIntervalOfTheMean) {
  // Mean 3, s = sqrt(2.5), n = 5; t(0.95, 4) = 2.132.
  const RepeatMeans means = MeansOf(Samples({1, 2, 3, 4, 5}));
  EXPECT_EQ(means.repeats, 5u);
  EXPECT_DOUBLE_EQ(means.cpu.mid.value(), 3);
  EXPECT_NEAR(means.cpu.own_sd * kZ90, 2.132 * std::sqrt(2.5 / 5), 1e-3);
  EXPECT_DOUBLE_EQ(means.wall.mid.value(), 6);
}

TEST(Repeats, WhatTheRepeatsShareIsNotAveragedAway) {
  const RepeatMeans means = MeansOf(Samples({1, 1, 1, 1}));
  EXPECT_DOUBLE_EQ(means.energy.mid.value(), 10);
  EXPECT_NEAR(means.energy.sd(), 10 * std::hypot(0.3, 0.2), 1e-9);
  EXPECT_DOUBLE_EQ(means.energy.own_sd, 0);
}

TEST(Repeats, OneRepeatTellsNothingOfTheSpread) {
  const RepeatMeans means = MeansOf(Samples({1}));
  EXPECT_TRUE(std::isinf(means.cpu.own_sd));
  EXPECT_TRUE(std::isfinite(means.energy.sd()));
}

TEST(Repeats, TheModelsErrorCancelsInTheRatio) {
  const auto a = Samples({2, 4, 8});
  const auto b = Samples({1, 2, 4});
  const RepeatRatios same = RatiosOf(a, b, true);
  EXPECT_NEAR(same.cpu->mid.value(), 2, 1e-12);
  EXPECT_NEAR(same.energy->mid.value(), 2, 1e-12);
  EXPECT_NEAR(same.energy->sd(), 0, 1e-9);
  // Two workloads: each its own error, 0.2 of it in quadrature.
  const RepeatRatios two = RatiosOf(a, b, false);
  EXPECT_NEAR(two.energy->sd(), 2 * std::hypot(0.2, 0.2), 1e-9);
}

TEST(Repeats, NoRatioOfNothing) {
  const RepeatRatios ratios = RatiosOf(Samples({0, 1}), Samples({1, 1}), true);
  EXPECT_FALSE(ratios.cpu);
  EXPECT_FALSE(ratios.energy);
}

// The interval is what it says: of 1,000 experiments with a known ratio, nine
// in ten hold it, also with few repeats.
TEST(Repeats, TheIntervalsCoverTheTruth) {
  std::mt19937_64 random(7);  // NOLINT: the same in every run
  std::normal_distribution<double> noise(0, 0.1);
  int covered = 0;
  for (int i = 0; i < 1000; ++i) {
    std::vector<RepeatSample> a, b;
    for (int k = 0; k < 4; ++k) {
      const double drift = std::exp(5 * noise(random));
      a.push_back(Sample(3 * drift * std::exp(noise(random))));
      b.push_back(Sample(1 * drift * std::exp(noise(random))));
    }
    const Interval interval = RatiosOf(a, b, true).cpu->interval();
    covered += interval.low <= 3 && 3 <= interval.high;
  }
  EXPECT_GE(covered, 870);
  EXPECT_LE(covered, 930);
}

}  // namespace
}  // namespace modicum
