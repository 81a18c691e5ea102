// SPDX-License-Identifier: Apache-2.0
// Quantiles, Wilson, Fieller, Holm: published worked examples first, then
// recomputation by another form, coverage by simulation, and the edges.
#include "base/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/rng.h"
#include "base/statistics_samples.h"

namespace modicum {
namespace {

using ::testing::DoubleEq;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

// Expected values to 15 digits by mpmath 1.3 with 30 digits.

TEST(NormalQuantile, Tables) {
  EXPECT_NEAR(NormalQuantile(0.6), 0.2533471031357998, 1e-14);
  EXPECT_NEAR(NormalQuantile(0.9), 1.2815515655446005, 1e-14);
  EXPECT_NEAR(NormalQuantile(0.95), 1.6448536269514727, 1e-14);
  EXPECT_NEAR(NormalQuantile(0.975), 1.9599639845400542, 1e-14);
  EXPECT_NEAR(NormalQuantile(0.995), 2.5758293035489008, 1e-14);
  EXPECT_NEAR(NormalQuantile(1e-10), -6.3613409024040562, 1e-13);
  EXPECT_NEAR(NormalQuantile(1e-100), -21.273453560965324, 1e-12);
  EXPECT_NEAR(NormalQuantile(0.500001), 2.5066282746336254e-6, 1e-15);
}

TEST(NormalQuantile, InvertsTheDistributionFunction) {
  for (double x = -37; x < 8; x += 0.0625) {
    const double p = 0.5 * std::erfc(-x / std::numbers::sqrt2);
    // Near one, p itself has lost the digits: an ulp of p is this much of x.
    const double ulp = 2.3e-16 / std::exp(-x * x / 2) * 2.51;
    EXPECT_NEAR(NormalQuantile(p), x, 1e-12 + (x > 0 ? ulp : 0)) << x;
  }
}

TEST(NormalQuantile, Edges) {
  EXPECT_EQ(NormalQuantile(0.5), 0);
  EXPECT_EQ(NormalQuantile(0), -kInf);
  EXPECT_EQ(NormalQuantile(1), kInf);
  EXPECT_TRUE(std::isnan(NormalQuantile(-0.1)));
  EXPECT_TRUE(std::isnan(NormalQuantile(1.1)));
  EXPECT_TRUE(std::isnan(NormalQuantile(std::nan(""))));
  EXPECT_LT(NormalQuantile(5e-324), -38);
}

TEST(StudentQuantile, Tables) {
  auto expect = [](double p, double df, double t) {
    EXPECT_NEAR(StudentQuantile(p, df) / t, 1, 1e-9) << p << " " << df;
    EXPECT_NEAR(StudentQuantile(1 - p, df) / t, -1, 1e-6) << p << " " << df;
  };
  expect(0.975, 1, 12.7062047361747);
  expect(0.975, 2, 4.30265272974946);
  expect(0.975, 3, 3.18244630528371);
  expect(0.95, 5, 2.01504837333302);
  expect(0.995, 9, 3.24983554159213);
  expect(0.975, 10, 2.22813885198627);
  expect(0.9, 30, 1.3104150253914);
  expect(0.975, 120, 1.97993040508244);
  expect(0.9995, 4, 8.61030158137928);
  expect(0.75, 2.5, 0.785013682992301);
  expect(0.999999, 7, 14.2414696519814);
  expect(0.999, 999, 3.09841036175331);
  expect(0.999, 1000, 3.09840216391292);  // other side of the expansion
  expect(0.975, 10'000, 1.96020123989063);
}

TEST(StudentQuantile, ClosedFormsOfOneAndTwoDegrees) {
  for (const double p : {1e-12, 0.001, 0.1, 0.3, 0.49, 0.51, 0.9, 0.9999}) {
    const double cauchy = -1 / std::tan(std::numbers::pi * p);
    EXPECT_NEAR(StudentQuantile(p, 1) / cauchy, 1, 1e-9) << p;
    const double two = (2 * p - 1) / std::sqrt(2 * p * (1 - p));
    EXPECT_NEAR(StudentQuantile(p, 2) / two, 1, 1e-9) << p;
  }
}

TEST(StudentQuantile, TendsToTheNormalAndHasEdges) {
  EXPECT_NEAR(StudentQuantile(0.975, 1e12), NormalQuantile(0.975), 1e-11);
  EXPECT_EQ(StudentQuantile(0.5, 3), 0);
  EXPECT_EQ(StudentQuantile(0, 3), -kInf);
  EXPECT_EQ(StudentQuantile(1, 3), kInf);
  EXPECT_TRUE(std::isnan(StudentQuantile(0.9, 0)));
  EXPECT_TRUE(std::isnan(StudentQuantile(2, 5)));
  double before = kInf;
  for (double df = 0.5; df < 5000; df *= 1.1) {
    const double t = StudentQuantile(0.99, df);
    EXPECT_LT(t, before) << df;
    before = t;
  }
}

TEST(WilsonInterval, Newcombe1998) {
  // Statistics in Medicine 17:857-872, table I, method 3.
  ExpectInterval(WilsonInterval(81, 263), 0.2553, 0.3662, 5e-5);
  ExpectInterval(WilsonInterval(15, 148), 0.0624, 0.1605, 5e-5);
  ExpectInterval(WilsonInterval(0, 20), 0, 0.1611, 5e-5);
  ExpectInterval(WilsonInterval(1, 29), 0.0061, 0.1718, 5e-5);
}

TEST(WilsonInterval, EndsSolveTheScoreEquation) {
  Rng rng(21);
  for (int i = 0; i < 500; ++i) {
    const uint64_t n = 2 + rng.Below(2000);
    const uint64_t k = 1 + rng.Below(static_cast<uint32_t>(n - 1));
    const double p = static_cast<double>(k) / static_cast<double>(n);
    const Interval interval = WilsonInterval(k, n, 0.9);
    for (const double end : {interval.low, interval.high})
      EXPECT_NEAR(std::abs(p - end) /
                      std::sqrt(end * (1 - end) / static_cast<double>(n)),
                  kZ90, 1e-9);
  }
}

TEST(WilsonInterval, EdgesAndMirror) {
  EXPECT_EQ(WilsonInterval(0, 7).low, 0);
  EXPECT_EQ(WilsonInterval(7, 7).high, 1);
  ExpectInterval(WilsonInterval(1, 1), 0.2065, 1, 5e-5);
  const Interval few = WilsonInterval(3, 17);
  ExpectInterval(WilsonInterval(14, 17), 1 - few.high, 1 - few.low, 1e-15);
  ExpectInterval(WilsonInterval(500'000'000, 1'000'000'000), 0.5 - 3.09897e-5,
                 0.5 + 3.09897e-5, 1e-9);
  const Interval huge = WilsonInterval(1ULL << 63, (1ULL << 63) + 1);
  EXPECT_LE(huge.low, 1);
  EXPECT_GT(huge.low, 1 - 1e-15);
  EXPECT_LE(huge.high, 1);
}

TEST(FiellerInterval, PublishedExample) {
  // The FIELLER program of the DC-STATS package (UCL; after Finney 1964):
  // 14 (sd 3) over 7 (sd 2), uncorrelated, t of 10 degrees at 90 %.
  const FiellerResult result =
      FiellerInterval(14, 9, 7, 4, 0, StudentQuantile(0.95, 10));
  EXPECT_TRUE(result.bounded);
  EXPECT_EQ(result.mid, 2);
  ExpectInterval(result.interval, 1.051413, 4.414296, 1e-6);
}

TEST(FiellerInterval, AgreesWithFinneysForm) {
  // Finney, Statistical Method in Biological Assay: with g = (t s_b / b)^2,
  // (m - g c/v_b +- t/b sqrt(v_a - 2 m c + m^2 v_b - g (v_a - c^2/v_b)))/(1-g)
  const double a = 130;
  const double b = 20;
  const double va = 25;
  const double vb = 9;
  const double c = -6;
  const double t = 1.96;
  const double m = a / b;
  const double g = t * t * vb / (b * b);
  const double root =
      t / b * std::sqrt(va - 2 * m * c + m * m * vb - g * (va - c * c / vb));
  const double centre = m - g * c / vb;
  ExpectInterval(FiellerInterval(a, va, b, vb, c, t).interval,
                 (centre - root) / (1 - g), (centre + root) / (1 - g), 1e-12);
}

TEST(FiellerInterval, ReciprocalScaleAndSign) {
  const Interval ab = FiellerInterval(5, 0.3, 8, 0.5, 0.1, 1.96).interval;
  ExpectInterval(FiellerInterval(8, 0.5, 5, 0.3, 0.1, 1.96).interval,
                 1 / ab.high, 1 / ab.low, 1e-13);
  ExpectInterval(FiellerInterval(5e6, 0.3e12, 8, 0.5, 0.1e6, 1.96).interval,
                 1e6 * ab.low, 1e6 * ab.high, 1e-6);
  ExpectInterval(FiellerInterval(-5, 0.3, -8, 0.5, 0.1, 1.96).interval, ab.low,
                 ab.high, 1e-13);
  ExpectInterval(FiellerInterval(-5, 0.3, 8, 0.5, -0.1, 1.96).interval,
                 -ab.high, -ab.low, 1e-13);
}

TEST(FiellerInterval, ExactMeansGiveAPoint) {
  const FiellerResult exact = FiellerInterval(6, 0, 4, 0, 0, 1.96);
  EXPECT_TRUE(exact.bounded);
  ExpectInterval(exact.interval, 1.5, 1.5, 1e-12);
  ExpectInterval(FiellerInterval(0, 0, 4, 0, 0, 1.96).interval, 0, 0, 0);
  // An exact denominator scales a normal interval.
  ExpectInterval(FiellerInterval(0, 1, 4, 0, 0, 2).interval, -0.5, 0.5, 1e-15);
}

TEST(FiellerInterval, UnboundedKeepsThePieceAroundMid) {
  // Saving 1 +- 1 a request on an outlay of 100 +- 1: at best 100 / 2.96
  // requests repay it, at worst none ever do.
  const FiellerResult late = FiellerInterval(100, 1, 1, 1, 0, 1.96);
  EXPECT_FALSE(late.bounded);
  EXPECT_NEAR(late.interval.low, 33.78, 0.02);
  EXPECT_EQ(late.interval.high, kInf);
  const FiellerResult mirrored = FiellerInterval(100, 1, -1, 1, 0, 1.96);
  EXPECT_EQ(mirrored.interval.low, -kInf);
  EXPECT_NEAR(mirrored.interval.high, -33.78, 0.02);
  // Nothing is known of the numerator either: every ratio fits.
  const FiellerResult any = FiellerInterval(1, 1, 1, 1, 0, 1.96);
  EXPECT_FALSE(any.bounded);
  EXPECT_EQ(any.interval.low, -kInf);
  EXPECT_EQ(any.interval.high, kInf);
}

TEST(FiellerInterval, DenominatorAtTheEdgeOfItsInterval) {
  // b^2 = quantile^2 var_b exactly: one end is at infinity.
  const FiellerResult edge = FiellerInterval(10, 1, 2, 1, 0, 2);
  EXPECT_FALSE(edge.bounded);
  EXPECT_NEAR(edge.interval.low, (100 - 4) / 40.0, 1e-12);
  EXPECT_EQ(edge.interval.high, kInf);
  const FiellerResult zero = FiellerInterval(10, 1, 0, 0, 0, 2);
  EXPECT_FALSE(zero.bounded);
  EXPECT_EQ(FiellerInterval(0, 0, 0, 0, 0, 2).interval.high, kInf);
}

TEST(FiellerInterval, Covers) {
  // Correlated normal means; ratio 2.5; the whole set counts, bounded or not.
  Rng rng(26);
  int covered = 0;
  int bounded = 0;
  constexpr int kRounds = 20'000;
  for (int round = 0; round < kRounds; ++round) {
    const double e1 = Gauss(rng);
    const double e2 = 0.6 * e1 + 0.8 * Gauss(rng);
    const double a = 10 + 2 * e1;
    const double b = 4 + e2;
    const FiellerResult result = FiellerInterval(a, 4, b, 1, 1.2, 1.96);
    bounded += result.bounded ? 1 : 0;
    const bool inside =
        result.interval.low <= 2.5 && 2.5 <= result.interval.high;
    covered += inside ? 1 : 0;
  }
  EXPECT_GT(bounded, 0.95 * kRounds);
  EXPECT_NEAR(covered / double{kRounds}, 0.95, 0.006);
}

TEST(HolmAdjust, PublishedExample) {
  // @stdlib/stats-padjust's documentation, as R's p.adjust gives it.
  const std::vector<double> p{0.319, 0.201, 0.4, 0.374, 0.113};
  EXPECT_THAT(HolmAdjust(p), Pointwise(DoubleNear(1e-12),
                                       std::vector<double>{0.957, 0.804, 0.957,
                                                           0.957, 0.565}));
}

TEST(HolmAdjust, Properties) {
  Rng rng(41);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> p(1 + rng.Below(12));
    for (double& value : p) value = std::pow(rng.Unit(), 3);
    const std::vector<double> adjusted = HolmAdjust(p);
    for (size_t i = 0; i < p.size(); ++i) {
      EXPECT_GE(adjusted[i], p[i]);
      EXPECT_LE(adjusted[i], p[i] * static_cast<double>(p.size()) + 1e-15);
      EXPECT_LE(adjusted[i], 1);
      for (size_t j = 0; j < p.size(); ++j)
        EXPECT_TRUE(p[i] >= p[j] || adjusted[i] <= adjusted[j]);
    }
  }
}

TEST(HolmAdjust, TiesOneAndNone) {
  EXPECT_TRUE(HolmAdjust({}).empty());
  EXPECT_THAT(HolmAdjust(std::vector<double>{0.04}), ElementsAre(0.04));
  EXPECT_THAT(HolmAdjust(std::vector<double>{0.01, 0.01, 0.5}),
              ElementsAre(DoubleEq(0.03), DoubleEq(0.03), DoubleEq(0.5)));
  EXPECT_THAT(HolmAdjust(std::vector<double>{0.9, 0.8}), ElementsAre(1, 1));
}

TEST(HolmAdjust, KeepsTheFamilywiseErrorRate) {
  Rng rng(42);
  int wrong = 0;
  for (int round = 0; round < 10'000; ++round) {
    std::vector<double> p(4);
    for (double& value : p) value = rng.Unit();
    const auto adjusted = HolmAdjust(p);
    wrong += *std::min_element(adjusted.begin(), adjusted.end()) <= 0.05;
  }
  EXPECT_NEAR(wrong / 10'000.0, 1 - std::pow(1 - 0.05 / 4, 4), 0.007);
}

TEST(Moments, KnownValues) {
  const std::vector<double> values{2, 4, 4, 4, 5, 5, 7, 9};
  EXPECT_DOUBLE_EQ(Mean(values), 5);
  EXPECT_DOUBLE_EQ(Variance(values), 32.0 / 7);
  EXPECT_EQ(Variance(std::vector<double>{3}), 0);
  EXPECT_EQ(Variance({}), 0);
  EXPECT_TRUE(std::isnan(Mean({})));
  // NIST StRD NumAcc2-like: an offset must not eat the variance.
  const std::vector<double> offset{1e9 + 0.1, 1e9 + 0.2, 1e9 + 0.3};
  EXPECT_NEAR(Variance(offset), 0.01, 1e-8);
}

TEST(Quantile, Type7AsInR) {
  // R: quantile(c(1, 2, 3, 4, 10), c(0, .1, .25, .5, .9, 1), type = 7)
  const std::vector<double> values{10, 3, 1, 4, 2};
  EXPECT_DOUBLE_EQ(Quantile(values, 0), 1);
  EXPECT_DOUBLE_EQ(Quantile(values, 0.1), 1.4);
  EXPECT_DOUBLE_EQ(Quantile(values, 0.25), 2);
  EXPECT_DOUBLE_EQ(Quantile(values, 0.5), 3);
  EXPECT_DOUBLE_EQ(Quantile(values, 0.9), 7.6);
  EXPECT_DOUBLE_EQ(Quantile(values, 1), 10);
  EXPECT_DOUBLE_EQ(Quantile(values, 1.5), 10);
  EXPECT_DOUBLE_EQ(Quantile(std::vector<double>{7}, 0.3), 7);
  EXPECT_TRUE(std::isnan(Quantile({}, 0.5)));
}

}  // namespace
}  // namespace modicum
