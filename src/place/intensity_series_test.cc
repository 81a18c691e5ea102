// SPDX-License-Identifier: Apache-2.0
#include "place/intensity_series.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/format.h"

namespace modicum {
namespace {

WallTime At(const char* text) { return ParseTime(text, false).value(); }

IntensitySeries Series(const std::string& csv) {
  auto series = IntensitySeries::Parse(csv, "s.csv");
  EXPECT_TRUE(series) << series.error().message;
  return *std::move(series);
}

std::string ErrorOf(const std::string& csv) {
  const auto series = IntensitySeries::Parse(csv, "s.csv");
  return series ? "" : series.error().message;
}

// Four hours: 100, 200, 300, 50.
const char* const kFour =
    "time,gco2e_per_kwh\n"
    "2026-01-01T00:00Z,100\n2026-01-01T01:00Z,200\n"
    "2026-01-01T02:00Z,300\n2026-01-01T03:00Z,50\n";

TEST(IntensitySeries, TimesWithOffsets) {
  const WallTime noon = At("2026-03-29T12:00:00Z");
  EXPECT_EQ(FormatUtc(noon), "2026-03-29T12:00:00Z");
  for (const char* text :
       {"2026-03-29T14:00+02:00", "2026-03-29 14:00:00.000+0200",
        "2026-03-29T04:00-08", "2026-03-29T12:00Z"})
    EXPECT_EQ(At(text), noon) << text;
  EXPECT_EQ(ParseTime("2026-03-29 12:00", true).value(), noon);
}

TEST(IntensitySeries, NoTimes) {
  for (const char* text :
       {"", "2026", "2026-02-30T00:00Z", "2026-13-01T00:00Z",
        "2026-01-01T24:00Z", "2026-01-01T00:60Z", "2026-01-01T00:00+99:00",
        "2026-01-01T00:00Zx", "01/02/2026 00:00", "1767225600"})
    EXPECT_FALSE(ParseTime(text, true)) << text;
  EXPECT_EQ(ParseTime("2026-01-01T00:00", false).error().message,
            "'2026-01-01T00:00' has no offset from UTC");
}

// The hour that comes twice when clocks go back is two hours with offsets.
TEST(IntensitySeries, AnHourThatComesTwice) {
  const IntensitySeries series = Series(
      "time,gco2e_per_kwh\n2026-10-25T02:00+02:00,100\n"
      "2026-10-25T02:00+01:00,200\n2026-10-25T03:00+01:00,300\n");
  EXPECT_EQ(series.missing(), 0U);
  EXPECT_DOUBLE_EQ(series.MeanOver(At("2026-10-25T00:00Z"), Hours(3))->value(),
                   200);
}

TEST(IntensitySeries, MeansAreWeightedByTime) {
  const IntensitySeries series = Series(kFour);
  const auto mean = [&](const char* begin, double hours) {
    const auto m = series.MeanOver(At(begin), Hours(hours));
    return m ? m->value() : -1;
  };
  EXPECT_DOUBLE_EQ(mean("2026-01-01T00:00Z", 1), 100);
  EXPECT_DOUBLE_EQ(mean("2026-01-01T00:00Z", 4), 162.5);
  EXPECT_DOUBLE_EQ(mean("2026-01-01T00:30Z", 1), 150);
  EXPECT_DOUBLE_EQ(mean("2026-01-01T01:45Z", 1.5),
                   (200 * 0.25 + 300 + 50 * 0.25) / 1.5);
  EXPECT_EQ(mean("2026-01-01T03:30Z", 1), -1);
  EXPECT_EQ(mean("2025-12-31T23:30Z", 1), -1);
}

TEST(IntensitySeries, ElectricityMapsDownload) {
  const IntensitySeries series = Series(
      "\xEF\xBB\xBF"
      "Datetime (UTC),Country,Zone name,Zone id,Carbon intensity "
      "gCO\xE2\x82\x82"
      "eq/kWh (direct),Carbon intensity gCO\xE2\x82\x82"
      "eq/kWh (Life cycle),Carbon-free energy percentage (CFE%),Renewable "
      "energy percentage (RE%),Data source,Data estimated,Data estimation "
      "method\r\n"
      "2024-01-01 00:00:00,Poland,Poland,PL,500.1,600.5,30,29,"
      "\"a, b\",false,\r\n"
      "2024-01-01 01:00:00,Poland,Poland,PL,510.1,610.5,30,29,x,true,TIME\r\n");
  EXPECT_EQ(FormatUtc(series.end()), "2024-01-01T02:00:00Z");
  EXPECT_DOUBLE_EQ(series.MeanOver(At("2024-01-01T00:00Z"), Hours(2))->value(),
                   605.5);
  EXPECT_EQ(series.estimated(), 1U);
}

TEST(IntensitySeries, GapsAreCountedAndNotFilled) {
  const IntensitySeries series = Series(
      "time,gco2e_per_kwh\n2026-01-01T00:00Z,100\n2026-01-01T01:00Z,\n"
      "2026-01-01T02:00Z,300\n2026-01-01T05:00Z,50\n");
  EXPECT_EQ(series.missing(), 3U);
  EXPECT_TRUE(series.MeanOver(At("2026-01-01T00:00Z"), Hours(1)));
  EXPECT_FALSE(series.MeanOver(At("2026-01-01T00:30Z"), Hours(1)));
  EXPECT_FALSE(series.MeanOver(At("2026-01-01T02:00Z"), Hours(2)));
}

TEST(IntensitySeries, AMarginalColumnIsTakenWhereThereIsNoAverage) {
  const std::string rows =
      "2026-01-01T00:00Z,700,300\n2026-01-01T01:00Z,710,310\n";
  const auto both = IntensitySeries::Parse(
      "time,marginal intensity,intensity\n" + rows, "s.csv");
  ASSERT_TRUE(both);
  EXPECT_EQ(both->kind(), IntensityKind::kAverage);
  EXPECT_EQ(both->At(both->begin()), SeriesIntensity(300));
  const auto marginal =
      IntensitySeries::Parse("time,MOER gCO2/kWh,x\n" + rows, "s.csv");
  ASSERT_TRUE(marginal);
  EXPECT_EQ(marginal->kind(), IntensityKind::kMarginal);
  EXPECT_EQ(marginal->At(marginal->begin()), SeriesIntensity(700));
}

TEST(IntensitySeries, BadFiles) {
  const std::string head = "time,gco2e_per_kwh\n";
  EXPECT_EQ(ErrorOf(""), "s.csv: fewer than two steps");
  EXPECT_EQ(ErrorOf("a,b\n"), "s.csv: no column of times");
  EXPECT_EQ(ErrorOf("time,b\n"), "s.csv: no column of intensities");
  EXPECT_EQ(ErrorOf("time,MOER\n"), "s.csv: 'MOER' is not in grams per kWh");
  EXPECT_EQ(ErrorOf("time,intensity lb/MWh\n"),
            "s.csv: 'intensity lb/MWh' is not in grams per kWh");
  EXPECT_EQ(ErrorOf(head + "2026-01-01T00:00Z,1\n2026-01-01T00:00Z,2\n"),
            "s.csv line 3: 2026-01-01T00:00:00Z comes twice");
  EXPECT_EQ(ErrorOf(head + "2026-01-01T01:00Z,1\n2026-01-01T00:00Z,2\n"),
            "s.csv line 3: 2026-01-01T00:00:00Z is before the last line");
  EXPECT_EQ(ErrorOf(head + "2026-01-01T01:00,1\n"),
            "s.csv line 2: '2026-01-01T01:00' has no offset from UTC");
  EXPECT_EQ(ErrorOf(head + "2026-01-01T01:00Z,0\n"),
            "s.csv line 2: an intensity of 0 g/kWh is missing data, not clean "
            "power");
  EXPECT_EQ(ErrorOf(head + "2026-01-01T01:00Z,-5\n"),
            "s.csv line 2: -5 g/kWh is outside 0 to 3000");
  EXPECT_EQ(ErrorOf(head + "2026-01-01T01:00Z,x\n"),
            "s.csv line 2: 'x' is not a number");
  EXPECT_EQ(ErrorOf(head + "2026-01-01T01:00Z\n"),
            "s.csv line 2: too few cells");
  EXPECT_EQ(ErrorOf(head + "2026-01-01T00:00Z,1\n2026-01-02T00:00Z,2\n"),
            "s.csv: steps of 24 h");
  EXPECT_EQ(ErrorOf(head + "2026-01-01T00:00Z,1\n2026-01-01T01:00Z,2\n"
                           "2026-01-01T02:30Z,2\n"),
            "s.csv: 2026-01-01T02:30:00Z is between two steps");
  EXPECT_EQ(ErrorOf("time,zone,gco2e_per_kwh\n2026-01-01T00:00Z,PL,1\n"
                    "2026-01-01T01:00Z,SE,1\n"),
            "s.csv line 3: zone SE after PL");
  EXPECT_EQ(ErrorOf(head + "\"2026-01-01T00:00Z,1\n"),
            "s.csv: line 2: quote is never closed");
}

TEST(StartWindows, LeastMeanFirst) {
  const IntensitySeries series = Series(kFour);
  const auto windows =
      StartWindows(series, At("2026-01-01T00:30Z"), Hours(1), Hours(3.5));
  ASSERT_TRUE(windows);
  std::vector<std::string> starts;
  for (const StartWindow& window : *windows)
    starts.push_back(FormatUtc(window.start).substr(11, 5));
  EXPECT_EQ(starts,
            (std::vector<std::string>{"03:00", "00:30", "01:00", "02:00"}));
}

// Every window that ends in time is tried, and no other.
TEST(StartWindows, AsSlowSearchFindsThem) {
  std::string csv = "time,gco2e_per_kwh\n";
  for (int hour = 0; hour < 24; ++hour)
    if (hour != 7)
      csv += fmt::format("2026-01-01T{:02}:00Z,{}\n", hour,
                         100 + (hour * 37) % 50);
  const IntensitySeries series = Series(csv);
  const WallTime now = At("2026-01-01T01:15Z");
  for (int duration = 1; duration <= 5; ++duration) {
    const auto windows = StartWindows(series, now, Hours(duration), Hours(20));
    ASSERT_TRUE(windows);
    double last = 0;
    for (const StartWindow& window : *windows) {
      EXPECT_GE(window.mean.value(), last);
      last = window.mean.value();
      EXPECT_LE(window.start.micros,
                now.micros + (20LL - duration) * 3600000000);
      // Minute by minute.
      double sum = 0;
      for (int minute = 0; minute < duration * 60; ++minute)
        sum += series
                   .MeanOver({window.start.micros + minute * 60000000LL},
                             Seconds(60))
                   ->value();
      EXPECT_NEAR(window.mean.value(), sum / (duration * 60), 1e-9);
    }
  }
}

TEST(StartWindows, WhatCannotBe) {
  const IntensitySeries series = Series(kFour);
  EXPECT_EQ(StartWindows(series, At("2026-01-01T00:00Z"), Hours(4), Hours(3))
                .error()
                .message,
            "4 h do not fit before a deadline of 3 h");
  EXPECT_EQ(StartWindows(series, At("2026-01-02T00:00Z"), Hours(1), Hours(3))
                .error()
                .message,
            "the series covers 2026-01-01T00:00:00Z to 2026-01-01T04:00:00Z, "
            "not 2026-01-02T00:00:00Z");
  EXPECT_FALSE(
      StartWindows(series, At("2026-01-01T00:00Z"), Hours(5), Hours(9)));
}

}  // namespace
}  // namespace modicum
