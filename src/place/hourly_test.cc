// SPDX-License-Identifier: Apache-2.0
#include "place/hourly.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/format.h"

namespace modicum {
namespace {

// What a series has, which may be marginal, is nobody's carbon.
template <class Intensity>
concept Charged = requires(Joules energy, Intensity intensity) {
  energy* intensity;
};
static_assert(Charged<GramsPerKilowattHour>);
static_assert(!Charged<SeriesIntensity>);

WallTime Instant(std::string_view text) { return *ParseTime(text, false); }

EnergySlice Used(std::string_view began, double hours, double joules) {
  return {Instant(began), Hours(hours), Joules(joules)};
}

// 100 g from 10:00, 300 g from 11:00, a gap from 12:00, 200 g from 13:00.
constexpr std::string_view kSeries =
    "time,gco2e_per_kwh\n"
    "2026-01-15T10:00Z,100\n2026-01-15T11:00Z,300\n"
    "2026-01-15T12:00Z,\n2026-01-15T13:00Z,200\n";

HourlyIntensity IntensityOf(std::string_view csv) {
  return *HourlyIntensity::Of(*IntensitySeries::Parse(csv, "s.csv"), "s.csv");
}

// 0.4 from 11:30 to 12:00 UTC, else 1.2.
Tariff HalfAnHour() {
  return *Tariff::Parse(
      "zone = \"UTC\"\ncurrency = \"PLN\"\n"
      "[[band]]\nname = \"cheap\"\nprice = 0.4\nhours = \"11:30-12:00\"\n"
      "[[band]]\nname = \"dear\"\nprice = 1.2\n"
      "hours = [\"00:00-11:30\", \"12:00-24:00\"]\n",
      "t.toml");
}

const Estimate<GramsPerKilowattHour> kAverage =
    Exactly(GramsPerKilowattHour(500), Origin::kAssumed, Scope::kWall)
        .WithShared(InternSource("grid intensity: Poland"), 0.25);

TEST(HourlyIntensity, EachHoursEnergyIsChargedWithItsOwn) {
  const std::vector<EnergySlice> slices = {Used("2026-01-15T10:00Z", 1, 30),
                                           Used("2026-01-15T11:00Z", 1, 10)};
  const auto paid = IntensityOf(kSeries).PaidFor(slices, kAverage);
  EXPECT_DOUBLE_EQ(paid.mean.mid.value(), 0.75 * 100 + 0.25 * 300);
  EXPECT_DOUBLE_EQ(paid.figures.mean.value(), 150);
  EXPECT_DOUBLE_EQ(paid.figures.low.value(), 100);
  EXPECT_DOUBLE_EQ(paid.figures.high.value(), 300);
  EXPECT_EQ(paid.figures.outside, 0);
  EXPECT_EQ(paid.figures.by_time, 0);
  EXPECT_EQ(paid.mean.origin, Origin::kModelled);
  // Hours err each for itself, the series as a whole.
  EXPECT_NEAR(paid.mean.sd(), std::hypot(7.5, 7.5, 0.15 * 150), 1e-9);
}

TEST(HourlyIntensity, TheAverageStandsInForAGapAndOutside) {
  const std::vector<EnergySlice> slices = {Used("2026-01-15T11:00Z", 1, 60),
                                           Used("2026-01-15T12:00Z", 1, 30),
                                           Used("2026-01-15T14:00Z", 9, 10)};
  const auto paid = IntensityOf(kSeries).PaidFor(slices, kAverage);
  EXPECT_DOUBLE_EQ(paid.mean.mid.value(), 0.6 * 300 + 0.4 * 500);
  EXPECT_DOUBLE_EQ(paid.figures.outside, 0.4);
  EXPECT_DOUBLE_EQ(paid.figures.high.value(), 500);
  EXPECT_EQ(paid.mean.origin, Origin::kAssumed);
  // All of it outside: the average with its error, as without a series.
  const auto none =
      IntensityOf(kSeries).PaidFor(std::span(slices).last(1), kAverage);
  EXPECT_DOUBLE_EQ(none.mean.mid.value(), 500);
  EXPECT_DOUBLE_EQ(none.mean.sd(), kAverage.sd());
  EXPECT_EQ(none.figures.outside, 1);
}

TEST(HourlyIntensity, WhatWasNotCutIsSplitByTimeAndLessSure) {
  const std::vector<EnergySlice> slices = {Used("2026-01-15T10:00Z", 2, 10)};
  const auto paid = IntensityOf(kSeries).PaidFor(slices, kAverage);
  EXPECT_DOUBLE_EQ(paid.mean.mid.value(), 200);
  EXPECT_EQ(paid.figures.by_time, 1);
  EXPECT_GT(paid.mean.sd(), 100);
}

// However energy is cut at edges, what is charged is the sum over the hours.
TEST(HourlyIntensity, CutAtEdgesItIsTheSumOverHours) {
  const HourlyIntensity hourly = IntensityOf(kSeries);
  std::vector<EnergySlice> slices;
  double joules = 0, grams = 0;
  WallTime at = Instant("2026-01-15T09:17Z");
  for (const double known : {500.0, 100.0, 300.0, 500.0, 200.0}) {
    const WallTime edge = hourly.NextEdge(at);
    slices.push_back(
        {at, Seconds(static_cast<double>(edge.micros - at.micros) / 1e6),
         Joules(7 + joules)});
    grams += known * slices.back().energy.value();
    joules += slices.back().energy.value();
    at = edge;
  }
  EXPECT_EQ(at.micros, Instant("2026-01-15T14:00Z").micros);
  const auto paid = hourly.PaidFor(slices, kAverage);
  EXPECT_NEAR(paid.mean.mid.value() * joules, grams, 1e-9 * grams);
  EXPECT_EQ(paid.figures.by_time, 0);
}

TEST(HourlyIntensity, AMarginalSeriesIsRefused) {
  const auto hourly = HourlyIntensity::Of(
      *IntensitySeries::Parse("time,MOER gCO2/kWh\n2026-01-15T10:00Z,700\n"
                              "2026-01-15T11:00Z,710\n",
                              "m.csv"),
      "m.csv");
  ASSERT_FALSE(hourly);
  EXPECT_EQ(hourly.error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(hourly.error().message,
            "m.csv: 'MOER gCO2/kWh' is marginal: it says what one kWh more "
            "emits, and charges nobody");
}

TEST(HourlyIntensity, ItsFactorNamesFileColumnAndBasis) {
  const std::vector<EnergySlice> slices = {Used("2026-01-15T11:00Z", 1, 30),
                                           Used("2026-01-15T12:00Z", 1, 10)};
  const auto life_cycle =
      IntensityOf(
          "Datetime (UTC),Carbon intensity gCO2eq/kWh (Life cycle)\n"
          "2026-01-15 10:00,100\n2026-01-15 11:00,300\n")
          .PaidFor(slices, kAverage)
          .factor;
  ASSERT_TRUE(life_cycle);
  EXPECT_EQ(life_cycle->value, 300);
  EXPECT_EQ(life_cycle->source,
            "s.csv, Carbon intensity gCO2eq/kWh (Life cycle), life-cycle");
  EXPECT_EQ(life_cycle->date, "2026-01-15T10:00:00Z to 2026-01-15T12:00:00Z");
  const HourlyIntensity plain = IntensityOf(kSeries);
  EXPECT_EQ(plain.PaidFor(slices, kAverage).factor->source,
            "s.csv, gco2e_per_kwh, life-cycle or direct not stated");
  // Where only the average was used, the series is no factor.
  EXPECT_FALSE(plain.PaidFor(std::span(slices).last(1), kAverage).factor);
}

TEST(Hourly, EdgesAreThoseOfPricesAndIntensities) {
  const Hourly hourly{HalfAnHour(), IntensityOf(kSeries)};
  std::string edges;
  WallTime at = Instant("2026-01-15T10:59Z");
  for (int i = 0; i < 5; ++i) {
    at = hourly.NextEdge(at);
    edges += FormatUtc(at).substr(11, 5) + " ";
  }
  EXPECT_EQ(edges, "11:00 11:30 12:00 13:00 14:00 ");
}

TEST(AddSlice, LengthensWhereNothingChanged) {
  const Hourly hourly{HalfAnHour(), IntensityOf(kSeries)};
  std::vector<EnergySlice> slices;
  // Two hours of minutes: cut at 11:00 by carbon, at 11:30 by price.
  for (int i = 0; i < 120; ++i)
    AddSlice(hourly,
             {{Instant("2026-01-15T10:00Z").micros + i * int64_t{60'000'000}},
              Seconds(60),
              Joules(1)},
             slices);
  ASSERT_EQ(slices.size(), 3U);
  EXPECT_EQ(slices[0].energy, Joules(60));
  EXPECT_EQ(slices[1].energy, Joules(30));
  EXPECT_EQ(slices[2].energy, Joules(30));
  AddSlice(hourly, Used("2026-01-15T15:00Z", 1, 1), slices);  // after a pause
  EXPECT_EQ(slices.size(), 4U);
}

}  // namespace
}  // namespace modicum
