// SPDX-License-Identifier: Apache-2.0
#include "record/bench_result.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "record/json.h"
#include "record/sample_bench.h"

namespace modicum {
namespace {

using nlohmann::json;

std::string BenchFaultOf(std::string_view text) {
  const auto result = ParseBenchResult(text);
  return result ? "none" : result.error().message;
}

std::string FaultAfter(const std::function<void(json&)>& change) {
  json file = json::parse(FormatBenchJson(SampleBench()));
  change(file);
  return BenchFaultOf(file.dump());
}

TEST(BenchResult, WhatIsWrittenIsRead) {
  const BenchResult result = SampleBench();
  const std::string text = FormatBenchJson(result);
  EXPECT_TRUE(IsBenchResult(text));
  const auto back = ParseBenchResult(text);
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(FormatBenchJson(*back), text);
  EXPECT_EQ(ToJsonText(*back), ToJsonText(result));
  ASSERT_EQ(back->rows.size(), 6U);
  EXPECT_EQ(back->rows[4].runs.size(), 5U);
  EXPECT_EQ(back->rows[4].runs[0].machine.mid,
            result.rows[4].runs[0].machine.mid);
  EXPECT_EQ(back->rows[4].quality->items, 1000U);
  EXPECT_EQ(back->rows[5].failure, result.rows[5].failure);
  EXPECT_FALSE(back->rows[5].joules_per_1000.has_value());
}

TEST(BenchResult, AnotherProgramReadsUnitsIntervalsAndScope) {
  const json file = json::parse(FormatBenchJson(SampleBench()));
  const json& energy = file["rows"][1]["joules_per_1000"];
  EXPECT_EQ(energy["unit"], "J");
  EXPECT_EQ(energy["scope"], "package");
  EXPECT_EQ(energy["origin"], "modelled");
  EXPECT_LT(energy["low"].get<double>(), 0.043);
  EXPECT_GT(energy["high"].get<double>(), 0.043);
}

TEST(BenchResult, WhatIsNoResultIsRefusedByItsFault) {
  EXPECT_EQ(BenchFaultOf("{\"schema\": \"mod"), "not JSON");
  EXPECT_EQ(BenchFaultOf("[1]"), "not a result of modicum bench");
  EXPECT_EQ(BenchFaultOf("{}"), "not a result of modicum bench");
  EXPECT_EQ(FaultAfter([](json& f) { f["schema"] = "modicum-bench-9"; }),
            "schema \"modicum-bench-9\" is not known here; this modicum reads "
            "\"modicum-bench-1\"");
  EXPECT_EQ(FaultAfter([](json& f) { f["rows"][1].erase("task"); }),
            "rows[1]: task is missing");
  EXPECT_EQ(FaultAfter([](json& f) { f["rows"][1]["batch"] = -1; }),
            "rows[1].batch: not a whole number in range");
  EXPECT_EQ(FaultAfter([](json& f) {
              f["rows"][0]["runs"][2]["repeat"]["predictions"] = 0;
            }),
            "rows[0].runs[2].repeat.predictions: none");
  EXPECT_EQ(FaultAfter([](json& f) {
              f["rows"][0]["runs"][2]["repeat"]["wall_s"] = "nan";
            }),
            "rows[0].runs[2].repeat.wall_s: nan is no time");
  EXPECT_EQ(FaultAfter([](json& f) { f["rows"][0]["stars_quintile"] = 6; }),
            "rows[0]: 6 stars: they are 1 to 5");
}

TEST(BenchResult, AReceiptIsNoBenchmark) {
  EXPECT_FALSE(IsBenchResult("{\"receipt\": {}}"));
  EXPECT_FALSE(IsBenchResult("{\"schema\": 1}"));
}

TEST(BenchResult, ARowIsNamedByWhatIsSpecialOfIt) {
  BenchRow row;
  row.model = "x.gguf";
  EXPECT_EQ(RowName(row), "x.gguf");
  row.batch = 8;
  row.length = 40;
  EXPECT_EQ(RowName(row), "x.gguf, batch 8, 40 words");
}

}  // namespace
}  // namespace modicum
