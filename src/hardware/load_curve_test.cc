// SPDX-License-Identifier: Apache-2.0
#include "hardware/load_curve.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/rng.h"

namespace modicum {
namespace {

// Machines whose power follows `curve` but for a factor of their own.
std::vector<LoadPoint> Machines(const LoadCurve& curve,
                                const std::vector<double>& factors) {
  std::vector<LoadPoint> points;
  for (size_t m = 0; m < factors.size(); ++m)
    for (int i = 1; i <= 10; ++i)
      points.push_back({std::string(1, static_cast<char>('a' + m)), i / 10.0,
                        factors[m] * curve.at(i / 10.0)});
  return points;
}

TEST(LoadCurve, ProportionalDataIsFittedExactly) {
  const auto points = Machines({0.8, 0}, {1, 1, 1});
  const LoadCurve curve = FitLoadCurve(points);
  EXPECT_NEAR(curve.scale, 0.8, 1e-12);
  EXPECT_EQ(curve.idle_fraction, 0);
  const LoadCurveQuality q = AssessLoadCurve(points);
  EXPECT_NEAR(q.ln_sd, 0, 1e-12);
  EXPECT_NEAR(q.bias, 0, 1e-12);
}

TEST(LoadCurve, MachineFactorsAreTheSharedPartOfTheError) {
  // ln factors -0.5, 0, 0.5: left out, each is judged by the others' mean.
  const auto points = Machines({1, 0}, {std::exp(-0.5), 1.0, std::exp(0.5)});
  const LoadCurveQuality q = AssessLoadCurve(points);
  EXPECT_NEAR(q.machine_sd, std::sqrt((0.75 * 0.75 * 2) / 3), 1e-9);
  EXPECT_NEAR(q.workload_sd, 0, 1e-9);
  EXPECT_NEAR(q.ln_sd, q.machine_sd, 1e-9);
}

TEST(LoadCurve, MoreRowsDoNotMakeAMachineCountMore) {
  std::vector<LoadPoint> points = Machines({1, 0}, {1.0, 2.0});
  const double scale = FitLoadCurve(points).scale;
  for (int i = 0; i < 50; ++i) points.push_back(points.front());
  EXPECT_NEAR(FitLoadCurve(points).scale, scale, 1e-12);
}

TEST(LoadCurve, TableLeavesOutWhatItsRulesReject) {
  const auto points = LoadPoints();
  EXPECT_EQ(points.size(), 78u);  // 106 rows, 20 of a faulty run, 8 idle
  for (const LoadPoint& point : points) {
    EXPECT_NE(point.machine, "xeon-e3-1240-v2-second-run");
    EXPECT_LE(point.power_tdp, 1);
    EXPECT_GT(point.load, 0);
  }
}

TEST(LoadCurve, TheTableGivesThisQuality) {
  // An independent computation (Python, same rules) gives 0.5084.
  const LoadCurveQuality& q = TypicalLoadCurveQuality();
  EXPECT_EQ(q.points, 78);
  EXPECT_EQ(q.machines, 4);
  EXPECT_NEAR(q.ln_sd, 0.5084, 0.0005);
  EXPECT_NEAR(std::hypot(q.machine_sd, q.workload_sd), q.ln_sd, 1e-9);
  EXPECT_GT(q.coverage90, 0.88);
  // Power is predicted no worse than the cost per CPU-second is.
  EXPECT_LT(q.power_ln_sd, q.ln_sd);
}

TEST(LoadCurve, CoverageIsNearNominalWhenTheModelHolds) {
  // Many machines, factors with ln sd 0.4: 90 % of points must be covered.
  Rng rng(7);
  std::vector<double> factors;
  for (int i = 0; i < 24; ++i) {
    double sum = -6;  // Irwin-Hall: nearly normal, sd 1
    for (int k = 0; k < 12; ++k) sum += rng.Unit();
    factors.push_back(std::exp(0.4 * sum));
  }
  const double covered =
      AssessLoadCurve(Machines({0.9, 0}, factors)).coverage90;
  EXPECT_GE(covered, 0.8);
  EXPECT_LE(covered, 1.0);
}

}  // namespace
}  // namespace modicum
