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

// A supply that loses a part of each watt, and what no counter sees beside it.
std::vector<CalibrationPoint> BesideCounters(double per_watt, double rest,
                                             double off = 0) {
  std::vector<CalibrationPoint> points;
  for (const double inside : {20., 55., 90., 110., 140.}) {
    const double sign = points.size() % 2 == 0 ? 1 : -1;
    points.push_back({static_cast<double>(points.size()),
                      Watts((rest + per_watt * inside) * (1 + sign * off)),
                      Watts(inside)});
  }
  return points;
}

TEST(FitSupply, TellsTheLossFromTheRest) {
  const auto supply = FitSupply(BesideCounters(1.12, 38), kMeterSd);
  ASSERT_TRUE(supply);
  EXPECT_NEAR(supply->per_watt.mid.value(), 1.12, 1e-9);
  EXPECT_NEAR(supply->rest.mid.value(), 38, 1e-9);
  EXPECT_NEAR(supply->ln_sd, kMeterSd, 1e-9);
  EXPECT_NEAR(supply->per_watt.own_sd, 1.12 * kMeterSd, 1e-9);
}

// Power that bends with the load is a line over the counters all the same.
TEST(FitSupply, EarnsLessErrorThanBusyCpusDo) {
  const auto points = BesideCounters(1.12, 38, 0.002);
  const auto by_load = FitCalibration(points, kMeterSd);
  const auto supply = FitSupply(points, kMeterSd);
  ASSERT_TRUE(by_load && supply);
  EXPECT_LT(supply->ln_sd, by_load->ln_sd / 2);
}

TEST(FitSupply, ItsIntervalsCoverTheTruth) {
  Rng rng(5);
  int covered = 0, fits = 0;
  for (int i = 0; i < 400; ++i) {
    auto points = BesideCounters(1.15, 40);
    for (CalibrationPoint& point : points)
      point.power = point.power * (1 + 0.04 * (rng.Unit() - 0.5));
    const auto supply = FitSupply(points, 0);
    if (!supply) continue;
    ++fits;
    const double off = std::abs(supply->per_watt.mid.value() - 1.15);
    covered += off <= kZ90 * supply->per_watt.own_sd ? 1 : 0;
  }
  EXPECT_GT(fits, 390);
  EXPECT_NEAR(static_cast<double>(covered) / fits, 0.9, 0.04);
}

TEST(FitSupply, RefusesWhatIsNoSupply) {
  const auto refusal = [](std::span<const CalibrationPoint> points) {
    const auto supply = FitSupply(points, kMeterSd);
    return supply ? "" : supply.error().message;
  };
  EXPECT_EQ(refusal(BesideCounters(0.5, 38)),
            "a watt inside is 0.5 W at the plug, and no supply gives more than "
            "it takes");
  EXPECT_EQ(refusal(Points(40, 12, {0, 1, 2, 3})),
            "the counters were read at fewer than three loads");
  auto flat = BesideCounters(1.1, 38);
  for (CalibrationPoint& point : flat) point.inside = Watts(50);
  EXPECT_EQ(refusal(flat), "the counters showed 50 W to 50 W only");
}

TEST(MemoryDraw, IsWhatTheLineDoesNotExplain) {
  const auto line = *FitCalibration(Points(40, 12, {0, 1, 2, 3, 4}), kMeterSd);
  const auto memory = MemoryDraw(line, {{4, Watts(98)}, 20});
  ASSERT_TRUE(memory);
  EXPECT_NEAR(memory->mid.value(), 0.5, 1e-9);
  EXPECT_LT(memory->interval().low, 0.45);
  EXPECT_GT(memory->interval().low, 0);
  // Within what the meter may be off, and less than integer work.
  for (const double watts : {88.5, 80.})
    EXPECT_EQ(MemoryDraw(line, {{4, Watts(watts)}, 20}).error().code,
              ErrorCode::kUnavailable);
}

TEST(CalibrationTable, KeepsThePartsAndReadsRowsWithout) {
  Calibration row = *FitCalibration(Points(40, 12, {0, 1, 2}), kMeterSd);
  row.host = "a";
  const auto again = [&row] {
    return **FindCalibration(*WithCalibration("", "c.csv", "a", row), "c.csv",
                             "a");
  };
  EXPECT_FALSE(again().supply || again().memory);
  row.supply = *FitSupply(BesideCounters(1.12, 38), kMeterSd);
  EXPECT_EQ(again().supply->per_watt.mid, row.supply->per_watt.mid);
  EXPECT_EQ(again().supply->rest.own_sd, row.supply->rest.own_sd);
  EXPECT_EQ(again().supply->ln_sd, row.supply->ln_sd);
  row.supply.reset();
  row.memory = *MemoryDraw(row, {{4, Watts(98)}, 20});
  EXPECT_EQ(again().memory->mid, row.memory->mid);
  EXPECT_FALSE(again().supply);
  const auto old =
      FindCalibration("a,1,2,0.1,0.1,3,x,2026-11-26\n", "c.csv", "a");
  ASSERT_TRUE(old && *old);
  EXPECT_FALSE((*old)->supply || (*old)->memory);
  EXPECT_FALSE(FindCalibration(
      "a,1,2,0.1,0.1,3,x,2026-11-26,1.1,-1,3,4,0.1,,\n", "c.csv", "a"));
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
