// SPDX-License-Identifier: Apache-2.0
// Paired proportions and their sample size: published values, the score
// equation solved by search, coverage and power by simulation, the edges.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/rng.h"
#include "base/statistics.h"
#include "base/statistics_samples.h"

namespace modicum {
namespace {

PairedCounts Counts(uint64_t first_only, uint64_t second_only, uint64_t n) {
  PairedCounts counts;
  counts.first_only = first_only;
  counts.second_only = second_only;
  counts.both = (n - first_only - second_only) / 2;
  counts.neither = n - first_only - second_only - counts.both;
  return counts;
}

TEST(TangoInterval, PublishedValues) {
  // Fagerland, Lydersen & Laake, Statistical Analysis of Contingency Tables
  // (2017), chapter 8, data of Cavo et al. 2012: estimate -0.0621.
  ExpectInterval(TangoInterval(PairedCounts{59, 6, 16, 80}), -0.1240, -0.0054,
                 5e-5);
  // R package PropCIs 0.3-0, scoreci.mp(20, 60, 1000).
  ExpectInterval(TangoInterval(Counts(60, 20, 1000)), 0.0231, 0.0584, 5e-5);
  // PropCIs scoreci.mp(41, 48, 549, 0.9).
  ExpectInterval(TangoInterval(Counts(48, 41, 549), 0.9), -0.0157, 0.0414,
                 5e-5);
}

// The score statistic with the constrained likelihood maximised by search.
double SearchedScore(const PairedCounts& counts, double delta) {
  const auto b = static_cast<double>(counts.first_only);
  const auto c = static_cast<double>(counts.second_only);
  const auto n = static_cast<double>(counts.total());
  auto log_likelihood = [&](double q) {
    auto term = [](double count, double p) {
      return count == 0 ? 0 : count * std::log(std::max(p, 1e-300));
    };
    return term(b, q + delta) + term(c, q) + term(n - b - c, 1 - 2 * q - delta);
  };
  double low = std::max(0.0, -delta);
  double high = (1 - delta) / 2;
  for (int i = 0; i < 200; ++i) {  // ternary search: it is concave
    const double third = (high - low) / 3;
    if (log_likelihood(low + third) < log_likelihood(high - third))
      low += third;
    else
      high -= third;
  }
  const double q = (low + high) / 2;
  const double variance = 2 * q + delta - delta * delta;
  return (b - c - n * delta) / std::sqrt(n * variance);
}

TEST(TangoInterval, EndsSolveTheScoreEquationBySearch) {
  Rng rng(22);
  for (int i = 0; i < 300; ++i) {
    const uint64_t n = 5 + rng.Below(400);
    const uint64_t b = rng.Below(static_cast<uint32_t>(n / 2));
    const uint64_t c = rng.Below(static_cast<uint32_t>(n / 2));
    const PairedCounts counts = Counts(b, c, n);
    const Interval interval = TangoInterval(counts, 0.9);
    EXPECT_NEAR(SearchedScore(counts, interval.low), kZ90, 1e-5);
    EXPECT_NEAR(SearchedScore(counts, interval.high), -kZ90, 1e-5);
  }
}

TEST(TangoInterval, NoDiscordantPairsHasAClosedForm) {
  const double z = NormalQuantile(0.975);
  for (const uint64_t n : {1ULL, 20ULL, 1814ULL, 1'000'000'000ULL}) {
    const double end = z * z / (static_cast<double>(n) + z * z);
    ExpectInterval(TangoInterval(Counts(0, 0, n)), -end, end, 1e-12);
  }
}

TEST(TangoInterval, MirrorsNestsAndStaysInRange) {
  Rng rng(23);
  for (int i = 0; i < 300; ++i) {
    const uint64_t n = 1 + rng.Below(60);
    const uint64_t b = rng.Below(static_cast<uint32_t>(n + 1));
    const uint64_t c = rng.Below(static_cast<uint32_t>(n - b + 1));
    const Interval narrow = TangoInterval(Counts(b, c, n), 0.8);
    const Interval wide = TangoInterval(Counts(b, c, n), 0.99);
    const double mid = (static_cast<double>(b) - static_cast<double>(c)) /
                       static_cast<double>(n);
    EXPECT_LE(-1, wide.low);
    EXPECT_LE(wide.low, narrow.low);
    EXPECT_LE(narrow.low, mid);
    EXPECT_LE(mid, narrow.high);
    EXPECT_LE(narrow.high, wide.high);
    EXPECT_LE(wide.high, 1);
    const Interval mirror = TangoInterval(Counts(c, b, n), 0.8);
    ExpectInterval(mirror, -narrow.high, -narrow.low, 1e-12);
  }
}

TEST(TangoInterval, OneSidedAndHugeTables) {
  EXPECT_EQ(TangoInterval(Counts(8, 0, 8)).high, 1);
  EXPECT_EQ(TangoInterval(Counts(0, 8, 8)).low, -1);
  EXPECT_LT(TangoInterval(Counts(8, 0, 8)).low, 1);
  // At n = 1e9 the score interval is the normal one.
  const Interval huge =
      TangoInterval(Counts(20'000'000, 10'000'000, 1'000'000'000));
  const double half = NormalQuantile(0.975) * std::sqrt((0.03 - 0.0001) / 1e9);
  ExpectInterval(huge, 0.01 - half, 0.01 + half, 1e-9);
}

TEST(TangoInterval, Covers) {
  Rng rng(24);
  int covered = 0;
  constexpr int kRounds = 4000;
  for (int round = 0; round < kRounds; ++round) {
    PairedCounts counts;
    for (int i = 0; i < 100; ++i) {
      const double u = rng.Unit();
      ++(u < 0.10   ? counts.first_only
         : u < 0.15 ? counts.second_only
                    : counts.both);
    }
    const Interval interval = TangoInterval(counts);
    covered += interval.low <= 0.05 && 0.05 <= interval.high ? 1 : 0;
  }
  EXPECT_NEAR(covered / double{kRounds}, 0.95, 0.012);
}

TEST(TangoPValue, IsMcNemarAtMarginZero) {
  // z = (b - c) / sqrt(b + c), without continuity correction.
  const double z = (25 - 15) / std::sqrt(40.0);
  EXPECT_NEAR(TangoPValue(Counts(25, 15, 300), 0),
              0.5 * std::erfc(z / std::numbers::sqrt2), 1e-15);
  EXPECT_EQ(TangoPValue(Counts(0, 0, 300), 0), 0.5);
}

TEST(TangoPValue, AgreesWithTheInterval) {
  Rng rng(25);
  for (int i = 0; i < 200; ++i) {
    const uint64_t n = 20 + rng.Below(1000);
    const uint64_t b = rng.Below(static_cast<uint32_t>(n / 3));
    const uint64_t c = b + rng.Below(static_cast<uint32_t>(n / 3));
    const Interval interval = TangoInterval(Counts(b, c, n), 0.9);
    EXPECT_NEAR(TangoPValue(Counts(b, c, n), -interval.low), 0.05, 1e-9);
  }
}

TEST(TangoPValue, FallsAsTheMarginGrows) {
  double before = 1;
  for (double margin = 0; margin < 0.5; margin += 0.03125) {
    const double p = TangoPValue(Counts(10, 14, 500), margin);
    EXPECT_LT(p, before);
    before = p;
  }
  EXPECT_EQ(TangoPValue(Counts(10, 14, 500), 1), 0);
  EXPECT_EQ(TangoPValue(Counts(0, 500, 500), 1), 0.5);
  // No discordant pair in 1,000: z^2 = n m / (1 - m).
  const double z = std::sqrt(1000 * 0.01 / 0.99);
  EXPECT_NEAR(TangoPValue(Counts(0, 0, 1000), 0.01),
              0.5 * std::erfc(z / std::numbers::sqrt2), 1e-12);
}

TEST(ItemsNeeded, ConnorByHand) {
  // Connor, Biometrics 43 (1987) 207-211:
  //   n = (z_a sqrt(p) + z_b sqrt(p - d^2))^2 / d^2.
  // p = 0.1, d = 0.05: (1.644854 * 0.316228 + 0.841621 * 0.312250)^2 / 0.0025
  //   = (0.520148 + 0.262796)^2 / 0.0025 = 245.20.
  EXPECT_EQ(ItemsNeeded(0.05, 0.1), 246U);
  // p = 0.5, d = 0.4, two-sided 0.05: 22.01, the textbook's 0.05 against 0.45.
  EXPECT_EQ(ItemsNeeded(0.4, 0.5, 0.025), 23U);
}

TEST(ItemsNeeded, GivesThePowerItPromises) {
  const uint64_t n = ItemsNeeded(0.05, 0.1);
  Rng rng(51);
  int found = 0;
  constexpr int kRounds = 4000;
  for (int round = 0; round < kRounds; ++round) {
    PairedCounts counts;
    for (uint64_t i = 0; i < n; ++i) {
      const double u = rng.Unit();
      ++(u < 0.075 ? counts.first_only
         : u < 0.1 ? counts.second_only
                   : counts.both);
    }
    found += TangoPValue(counts, 0) <= 0.05 ? 1 : 0;
  }
  EXPECT_NEAR(found / double{kRounds}, 0.8, 0.03);
}

TEST(SmallestDetectableLoss, InvertsItemsNeeded) {
  for (const double share : {0.0, 0.001, 0.02, 0.1, 0.5, 1.0})
    for (const uint64_t n : {10ULL, 100ULL, 1814ULL, 1'000'000ULL}) {
      const double loss = SmallestDetectableLoss(n, share);
      EXPECT_EQ(ItemsNeeded(loss, share), n) << share;
      EXPECT_GT(ItemsNeeded(loss * 0.99, share), n) << share;
    }
}

TEST(SmallestDetectableLoss, IsMonotone) {
  double before = 1;
  for (uint64_t n = 4; n < 1'000'000'000'000; n *= 3) {
    const double loss = SmallestDetectableLoss(n, 0.03);
    EXPECT_LT(loss, before);
    EXPECT_GT(loss, 0);
    before = loss;
  }
  EXPECT_LT(SmallestDetectableLoss(1000, 0.02),
            SmallestDetectableLoss(1000, 0.04));
  EXPECT_LT(SmallestDetectableLoss(1000, 0.02, 0.05, 0.8),
            SmallestDetectableLoss(1000, 0.02, 0.05, 0.9));
  EXPECT_LT(SmallestDetectableLoss(1000, 0.02, 0.05),
            SmallestDetectableLoss(1000, 0.02, 0.01));
}

TEST(SmallestDetectableLoss, TooFewItemsAndNoLoss) {
  EXPECT_EQ(SmallestDetectableLoss(0, 0.1), 1);
  EXPECT_EQ(SmallestDetectableLoss(2, 0.1), 1);
  EXPECT_EQ(ItemsNeeded(0, 0.1), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(ItemsNeeded(-1, 0.1), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(ItemsNeeded(1e-12, 0.1), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(ItemsNeeded(1, 1), 3U);  // 1.645^2 = 2.7
}

}  // namespace
}  // namespace modicum
