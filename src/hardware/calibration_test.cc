// SPDX-License-Identifier: Apache-2.0
#include "hardware/calibration.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/rng.h"

namespace modicum {
namespace {

constexpr double kMeterSd = 0.01;

std::vector<CalibrationPoint> Points(double idle, double per_cpu,
                                     std::initializer_list<double> loads) {
  std::vector<CalibrationPoint> points;
  for (const double load : loads)
    points.push_back({load, Watts(idle + per_cpu * load)});
  return points;
}

TEST(FitCalibration, FindsTheLine) {
  const auto fit = FitCalibration(Points(40, 12, {0, 1, 2, 3, 4}), kMeterSd);
  ASSERT_TRUE(fit);
  EXPECT_NEAR(fit->idle.value(), 40, 1e-9);
  EXPECT_NEAR(fit->per_cpu.value(), 12, 1e-9);
  EXPECT_NEAR(fit->ln_sd, kMeterSd, 1e-9);
  EXPECT_NEAR(fit->PowerAt(2.5).value(), 70, 1e-9);
}

TEST(FitCalibration, TwoPointsDoNotTellWhatIsBetween) {
  const auto fit = FitCalibration(Points(40, 12, {0, 4}), kMeterSd);
  EXPECT_GT(fit->ln_sd, 0.19);
}

TEST(FitCalibration, ABentCurveWidensTheError) {
  auto points = Points(40, 12, {0, 1, 2, 3, 4});
  points[1].power = Watts(70);
  EXPECT_GT(FitCalibration(points, kMeterSd)->ln_sd, 0.05);
}

TEST(FitCalibration, RefusesWhatIsNoMeterOfThisMachine) {
  EXPECT_FALSE(FitCalibration({}, kMeterSd));
  EXPECT_FALSE(FitCalibration(Points(40, 12, {1, 1.2}), kMeterSd));
  EXPECT_FALSE(FitCalibration(Points(40, 0, {0, 1, 2}), kMeterSd));
  EXPECT_FALSE(FitCalibration(Points(40, -3, {0, 1, 2}), kMeterSd));
  EXPECT_FALSE(FitCalibration(Points(0, 12, {0, 1, 2}), kMeterSd));
}

// Of noisy meters, the stated error holds the next reading nine times of ten.
TEST(FitCalibration, ItsIntervalCovers) {
  int covered = 0;
  constexpr int kMachines = 400;
  Rng rng(3);
  // Roughly normal.
  const auto noise = [&rng] {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += rng.Unit();
    return sum;
  };
  for (int i = 0; i < kMachines; ++i) {
    const double idle = 20 + 100 * rng.Unit();
    const double per_cpu = 2 + 20 * rng.Unit();
    auto points = Points(idle, per_cpu, {0, 1, 2, 3, 4});
    for (CalibrationPoint& point : points)
      point.power = point.power * (1 + 0.03 * noise());
    const auto fit = FitCalibration(points, kMeterSd);
    if (!fit) continue;
    const double load = 4 * rng.Unit();
    const double truth = (idle + per_cpu * load) * (1 + 0.03 * noise());
    const double off = std::log(fit->PowerAt(load).value() / truth);
    covered += std::abs(off) <= kZ90 * fit->ln_sd ? 1 : 0;
  }
  EXPECT_GE(covered, kMachines * 0.86);
}

TEST(CalibrationTable, HoldsARowForEachMachine) {
  Calibration a = *FitCalibration(Points(40, 12, {0, 1, 2}), kMeterSd);
  a.host = "a; \"chip\", x; 2 CPUs";
  a.source = "wall meter";
  a.date = "2026-11-26";
  Calibration b = a;
  b.host = "b";
  b.idle = Watts(7);
  std::string csv = *WithCalibration("", "c.csv", a.host, a);
  csv = *WithCalibration(csv, "c.csv", b.host, b);
  a.idle = Watts(41);
  csv = *WithCalibration(csv, "c.csv", a.host, a);
  EXPECT_EQ((*FindCalibration(csv, "c.csv", a.host))->idle, Watts(41));
  EXPECT_EQ((*FindCalibration(csv, "c.csv", "b"))->idle, Watts(7));
  EXPECT_FALSE(*FindCalibration(csv, "c.csv", "c"));
  csv = *WithCalibration(csv, "c.csv", "b", std::nullopt);
  EXPECT_FALSE(*FindCalibration(csv, "c.csv", "b"));
}

TEST(CalibrationTable, MistakesAreNamedByLine) {
  const auto refusal = [](std::string_view csv) {
    return FindCalibration(csv, "c.csv", "a").error().message;
  };
  EXPECT_EQ(refusal("host\na,1\n"),
            "c.csv:2: not the columns of a calibration");
  EXPECT_EQ(refusal("a,-1,2,0.1,0.1,3,x,2026-11-26\n"),
            "c.csv:1: a number is missing or impossible");
  EXPECT_EQ(refusal("a,1,nan,0.1,0.1,3,x,2026-11-26\n"),
            "c.csv:1: a number is missing or impossible");
}

}  // namespace
}  // namespace modicum
