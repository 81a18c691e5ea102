// SPDX-License-Identifier: Apache-2.0
#include "base/estimate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <type_traits>

namespace modicum {
namespace {

// Carbon of the grid and of a contract are of two kinds: no code mixes them.
template <class A, class B>
concept Summed = requires(A a, B b) {
  a + b;
};
static_assert(Summed<GramsCo2e, GramsCo2e>);
static_assert(!Summed<GramsCo2e, MarketGramsCo2e>);
static_assert(
    !std::is_convertible_v<MarketGramsPerKilowattHour, GramsPerKilowattHour>);

Estimate<Joules> Own(double mid, double sd) {
  return {Joules(mid), sd, {}, Origin::kCounter, Scope::kPackage};
}

TEST(Units, OnlyMeaningfulProducts) {
  EXPECT_DOUBLE_EQ((Watts(100) * Seconds(36)).value(), 3600);
  EXPECT_DOUBLE_EQ((KilowattHours(2) * GramsPerKilowattHour(400)).value(), 800);
  EXPECT_DOUBLE_EQ((Joules(10) / Watts(2)).value(), 5);
  EXPECT_DOUBLE_EQ(InKilowattHours(KilowattHours(0.25)), 0.25);
}

TEST(Estimate, IndependentErrorsAddInQuadrature) {
  const auto sum = Own(10, 3) + Own(20, 4);
  EXPECT_DOUBLE_EQ(sum.mid.value(), 30);
  EXPECT_DOUBLE_EQ(sum.sd(), 5);
}

TEST(Estimate, SharedErrorsAddLinearlyAndCancelInRatio) {
  const SourceId model = InternSource("test model");
  auto a = Own(10, 0).WithShared(model, 0.5);
  auto b = Own(20, 0).WithShared(model, 0.5);
  EXPECT_DOUBLE_EQ((a + b).sd(), 15);
  EXPECT_DOUBLE_EQ((b - a).sd(), 5);
  EXPECT_NEAR(Ratio(a, b).sd(), 0, 1e-15);
  const SourceId other = InternSource("other model");
  auto c = Own(20, 0).WithShared(other, 0.5);
  EXPECT_NEAR(Ratio(a, c).sd(), 0.5 * std::hypot(0.5, 0.5), 1e-12);
}

TEST(Estimate, CombinationHasTheWorstOriginAndNarrowestScope) {
  Estimate<Joules> modelled = Own(1, 0.1);
  modelled.origin = Origin::kModelled;
  modelled.scope = Scope::kHost;
  const auto sum = Own(1, 0.1) + modelled;
  EXPECT_EQ(sum.origin, Origin::kModelled);
  EXPECT_EQ(sum.scope, Scope::kPackage);
}

TEST(Estimate, AnEnergysIntervalIsOnALogScaleAndNeverNegative) {
  const auto narrow = Own(100, 10).interval();
  EXPECT_NEAR(narrow.low * narrow.high, 100.0 * 100.0, 1e-6);
  EXPECT_NEAR(narrow.high, 100 * std::exp(kZ90 * 0.1), 1e-9);
  for (const double sd : {0.1, 1.0, 10.0})
    EXPECT_GT(Own(1, sd).interval().low, 0);
  EXPECT_EQ(Own(0, 1).interval().low, 0);
}

// An error that is added (a tick) and is many times the whole is no factor.
TEST(Estimate, AnIntervalGrowsNoFasterThanItsError) {
  for (const double mid : {1e-9, 1e-3, 0.5, 0.96, 2.0}) {
    const auto wide = Own(mid, 1).interval();
    EXPECT_LE(wide.high, mid + std::sqrt(19) + 1e-12);
    EXPECT_NEAR(wide.low * wide.high, mid * mid, 1e-12);
  }
  double before = 0;
  for (double sd = 0; sd < 3; sd += 0.01) {
    const double high = Own(1, sd).interval().high;
    EXPECT_GE(high, before);
    EXPECT_LT(high - before, sd == 0 ? 1.1 : 0.1);
    before = high;
  }
  EXPECT_DOUBLE_EQ(Own(0, 1).interval().high, std::sqrt(19));
}

// What multiplies, as published figures spread, keeps its factor; what is far
// beyond them was added.
TEST(Estimate, ASharedErrorMaySpreadWidely) {
  const auto spread = [](double relative) {
    return Own(1, 0).WithShared(InternSource("spread"), relative).interval();
  };
  for (const double relative : {0.1, 1.0, 1.25, 1.99})
    EXPECT_NEAR(spread(relative).high, std::exp(kZ90 * relative), 1e-9);
  EXPECT_NEAR(spread(2.001).high, spread(2).high, 0.1);
  EXPECT_LT(spread(1000).high, 13'000);
}

TEST(Estimate, ADifferenceIsLinearUntilTwoSdFromZero) {
  const auto unsure = (Own(11, 3) - Own(10, 4)).interval();
  EXPECT_NEAR(unsure.high - 1, 1 - unsure.low, 1e-9);
  EXPECT_LT(unsure.low, 0);
  const auto clear = (Own(40, 3) - Own(10, 4)).interval();
  EXPECT_NEAR(clear.low * clear.high, 900, 1e-6);
  const auto negative = (Own(10, 4) - Own(40, 3)).interval();
  EXPECT_LT(negative.high, 0);
  EXPECT_LT(negative.low, negative.high);
  EXPECT_TRUE(((Own(2, 1) - Own(1, 1)) * 2).difference);
}

TEST(Estimate, ProductsPropagateRelativeErrors) {
  const Estimate<Watts> power{
      Watts(50), 5, {}, Origin::kSensor, Scope::kDevice};
  const Estimate<Seconds> time{
      Seconds(10), 0.5, {}, Origin::kCounter, Scope::kDevice};
  const auto energy = power * time;
  EXPECT_DOUBLE_EQ(energy.mid.value(), 500);
  EXPECT_NEAR(energy.sd() / 500, std::hypot(0.1, 0.05), 1e-12);
  const Estimate<GramsPerKilowattHour> intensity{
      GramsPerKilowattHour(500), 50, {}, Origin::kAssumed, Scope::kWall};
  EXPECT_NEAR((energy * intensity).mid.value(), 500 / 3.6e6 * 500, 1e-12);
}

TEST(Estimate, SourceNamesRoundTrip) {
  EXPECT_EQ(SourceName(InternSource("x")), "x");
  EXPECT_EQ(InternSource("x"), InternSource("x"));
  EXPECT_NE(InternSource("x"), InternSource("y"));
}

}  // namespace
}  // namespace modicum
