// SPDX-License-Identifier: Apache-2.0
#include "bench/figures.h"

#include <gtest/gtest.h>

#include "place/place.h"
#include "record/sample_bench.h"

namespace modicum {
namespace {

class FiguresTest : public ::testing::Test {
 protected:
  // Runs of 1,000 inferences that need 10, 12 and 14 J.
  BenchRow ThreeRuns() const {
    BenchRow row;
    for (const double joules : {10.0, 12.0, 14.0})
      row.runs.push_back(SampleBenchRun(joules));
    return row;
  }
  BenchRow Filled(BenchRow row, std::string_view unit = "") const {
    FillFigures(row, unit, place_);
    return row;
  }
  Place place_ = *FindPlace({.region = "PL"});
};

TEST_F(FiguresTest, MeanAndDeviationArePerThousand) {
  const BenchRow row = Filled(ThreeRuns());
  EXPECT_NEAR(row.joules_per_1000->mid.value(), 12, 1e-9);
  EXPECT_NEAR(row.joules_sd.value(), 2, 1e-9);
  EXPECT_NEAR(row.idle_per_1000->mid.value(), 3, 1e-9);
  EXPECT_NEAR(row.active_per_1000->mid.value(), 9, 1e-9);
  EXPECT_NEAR(row.machine_per_1000->mid.value(), 18, 1e-9);
  EXPECT_NEAR(row.cpu_seconds_per_1000->mid.value(), 12.0 / 5, 1e-9);
  EXPECT_NEAR(row.inferences_per_second, 3000 / (36.0 / 4), 1e-9);
  EXPECT_EQ(row.joules_per_1000->scope, Scope::kPackage);
  EXPECT_EQ(row.joules_per_1000->origin, Origin::kModelled);
}

TEST_F(FiguresTest, AboveIdleAndIdleAddUp) {
  const BenchRow row = Filled(ThreeRuns());
  EXPECT_NEAR((row.idle_per_1000->mid + row.active_per_1000->mid).value(),
              row.joules_per_1000->mid.value(), 1e-9);
  // A part is no difference: it has an interval on a log scale.
  EXPECT_FALSE(row.active_per_1000->difference);
}

TEST_F(FiguresTest, RunsOfOtherLengthsAreComparedPerThousand) {
  BenchRow row = ThreeRuns();
  row.runs[1].repeat.predictions = 12'000;
  row.runs[1].repeat.energy = BenchJoules(144);
  row = Filled(std::move(row));
  EXPECT_NEAR(row.joules_per_1000->mid.value(), 12, 1e-9);
  EXPECT_NEAR(row.joules_sd.value(), 2, 1e-9);
}

TEST_F(FiguresTest, ContendedRunsAreSetAsideAndKept) {
  BenchRow row = ThreeRuns();
  row.runs.push_back(SampleBenchRun(100, true));
  row = Filled(std::move(row));
  EXPECT_EQ(row.contended, 1U);
  EXPECT_NEAR(row.joules_per_1000->mid.value(), 12, 1e-9);
  EXPECT_NEAR(row.joules_sd.value(), 2, 1e-9);
  EXPECT_NEAR(row.joules_per_1000_all->mid.value(), 34, 1e-9);
}

TEST_F(FiguresTest, ARowThatWasNeverQuietHasAFigureAndSaysSo) {
  BenchRow row = ThreeRuns();
  for (BenchRun& run : row.runs) run.repeat.contended = true;
  row = Filled(std::move(row));
  EXPECT_EQ(row.contended, 3U);
  EXPECT_NEAR(row.joules_per_1000->mid.value(), 12, 1e-9);
}

TEST_F(FiguresTest, ShortWindowsAreCounted) {
  BenchRow row = ThreeRuns();
  row.runs[0].short_window = row.runs[2].short_window = true;
  EXPECT_EQ(Filled(std::move(row)).short_windows, 2U);
}

TEST_F(FiguresTest, CarbonAndEverydayThingsFollowFromThePlace) {
  const BenchRow row = Filled(ThreeRuns());
  const auto grams = OperationalCarbon(*row.joules_per_1000, place_);
  EXPECT_EQ(row.g_co2e_per_1000->mid, grams.mid);
  EXPECT_NEAR(row.car_km_per_1000->mid.value(), grams.mid.value() / 244, 1e-12);
  EXPECT_NEAR(row.phone_charges_per_1000->mid.value(),
              InKilowattHours(Joules(12) * place_.pue.mid) / 0.012, 1e-12);
  EXPECT_EQ(EverydayFactors().size(), 2U);
}

TEST_F(FiguresTest, TokensAreDividedByTheKindThatTheTaskNames) {
  BenchRow row = ThreeRuns();
  for (BenchRun& run : row.runs) {
    run.tokens_in = 26'000;
    run.tokens_out = 10'000;
  }
  const BenchRow read = Filled(row, "token read");
  EXPECT_NEAR(read.joules_per_unit->mid.value(), 12.0 / 26'000, 1e-12);
  EXPECT_EQ(read.unit, "token read");
  const BenchRow written = Filled(row, "token written");
  EXPECT_NEAR(written.joules_per_unit->mid.value(), 12.0 / 10'000, 1e-12);
  const BenchRow none = Filled(ThreeRuns(), "token read");  // an artifact
  EXPECT_FALSE(none.joules_per_unit.has_value());
  EXPECT_EQ(none.unit, "");
}

TEST_F(FiguresTest, JoulesPerCorrectAnswerNeedAFloorThatIsMet) {
  BenchRow row = ThreeRuns();
  row.correct_share = 0.8;
  EXPECT_FALSE(Filled(row).joules_per_correct.has_value());
  row.above_floor = true;
  EXPECT_NEAR(Filled(row).joules_per_correct->mid.value(), 0.015, 1e-12);
}

TEST_F(FiguresTest, WithoutRunsNothingIsFilled) {
  const BenchRow row = Filled(BenchRow{});
  EXPECT_FALSE(row.joules_per_1000.has_value());
  EXPECT_FALSE(row.g_co2e_per_1000.has_value());
}

}  // namespace
}  // namespace modicum
