// SPDX-License-Identifier: Apache-2.0
// Answers of the shapes that the services document.
#include "place/grid/grid_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "place/intensity_series.h"

namespace modicum {
namespace {

using testing::HasSubstr;

std::string CsvOr(const Result<std::string>& csv) {
  return csv ? *csv : "error: " + csv.error().message;
}

TEST(UkCsv, TakesTheForecast) {
  const auto csv = UkCsv(R"({"data": [
      {"from": "2026-01-20T12:00Z", "to": "2026-01-20T12:30Z",
       "intensity": {"forecast": 266, "actual": 263, "index": "moderate"}},
      {"from": "2026-01-20T12:30Z", "to": "2026-01-20T13:00Z",
       "intensity": {"forecast": null, "actual": null}},
      {"from": "2026-01-20T13:00Z", "to": "2026-01-20T13:30Z",
       "intensity": {"forecast": 240, "actual": null}}]})");
  EXPECT_EQ(CsvOr(csv),
            "time,gco2e_per_kwh\n"
            "2026-01-20T12:00Z,266\n2026-01-20T12:30Z,\n"
            "2026-01-20T13:00Z,240\n");
  const auto series = IntensitySeries::Parse(*csv, "uk");
  ASSERT_TRUE(series) << series.error().message;
  EXPECT_EQ(series->step(), Seconds(1800));
  EXPECT_EQ(series->missing(), 1u);
}

TEST(ElectricityMapsCsv, TakesTheForecast) {
  const auto csv = ElectricityMapsCsv(R"({"zone": "DE", "forecast": [
      {"carbonIntensity": 326, "datetime": "2026-11-26T17:00:00.000Z"},
      {"carbonIntensity": 297.5, "datetime": "2026-11-26T18:00:00.000Z"}],
      "updatedAt": "2026-11-26T17:25:24.685Z"})");
  EXPECT_EQ(CsvOr(csv),
            "time,gco2e_per_kwh (life cycle)\n2026-11-26T17:00:00.000Z,326\n"
            "2026-11-26T18:00:00.000Z,297.5\n");
  EXPECT_EQ(IntensitySeries::Parse(*csv, "em")->basis(), "life-cycle");
}

std::string WattTime(const std::string& signal, const std::string& units) {
  return R"({"data": [{"point_time": "2026-07-15T00:00:00+00:00", "value": 1000},
      {"point_time": "2026-07-15T00:05:00+00:00", "value": 500}],
      "meta": {"region": "CAISO_NORTH", "signal_type": ")" +
         signal + R"(", "units": ")" + units + R"("}})";
}

// A thousand pounds a megawatt-hour are 453.59237 g a kilowatt-hour.
TEST(WattTimeCsv, ConvertsTheAverage) {
  const auto csv = WattTimeCsv(WattTime("co2_aoer", "lbs_co2_per_mwh"));
  EXPECT_EQ(CsvOr(csv),
            "time,gco2e_per_kwh\n2026-07-15T00:00:00+00:00,453.59237\n"
            "2026-07-15T00:05:00+00:00,226.796185\n");
}

TEST(WattTimeCsv, RefusesTheMarginal) {
  const auto csv = WattTimeCsv(WattTime("co2_moer", "lbs_co2_per_mwh"));
  ASSERT_FALSE(csv);
  EXPECT_EQ(csv.error().message,
            "WattTime answered with marginal emissions (co2_moer)");
  EXPECT_THAT(CsvOr(WattTimeCsv(WattTime("co2_aoer", "kg_per_mwh"))),
              HasSubstr("'co2_aoer' in 'kg_per_mwh'"));
}

TEST(WattTimeToken, IsThatOfTheLogin) {
  EXPECT_EQ(CsvOr(WattTimeToken(R"({"token": "abc"})")), "abc");
  EXPECT_THAT(CsvOr(WattTimeToken("{}")), HasSubstr("without a token"));
}

TEST(Answers, WhatIsNoneIsSaid) {
  for (const char* answer : {"", "[]", "{}", "<html>", R"({"data": {}})"})
    EXPECT_EQ(CsvOr(UkCsv(answer)),
              "error: carbonintensity.org.uk answered without a list 'data'")
        << answer;
  EXPECT_THAT(CsvOr(UkCsv(R"({"data": [7]})")),
              HasSubstr("an entry without 'from'"));
  // What would break out of its cell.
  EXPECT_THAT(
      CsvOr(ElectricityMapsCsv(
          R"({"forecast": [{"datetime": "1,2\n3", "carbonIntensity": 1}]})")),
      HasSubstr("an entry without 'datetime'"));
  EXPECT_THAT(
      CsvOr(ElectricityMapsCsv(
          R"({"forecast": [{"datetime": "2026", "carbonIntensity": "x"}]})")),
      HasSubstr("no number"));
}

}  // namespace
}  // namespace modicum
