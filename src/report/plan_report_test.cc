// SPDX-License-Identifier: Apache-2.0
#include "report/plan_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace modicum {
namespace {

Plan Sample() {
  Plan plan;
  plan.verb = "train";
  plan.title = "train <toy> on 2 T4";
  plan.inputs = {{"params", "7e9"}};
  plan.figures = {{"gpu_hours",
                   "GPU-hours",
                   "h",
                   {90, 100, 120},
                   Origin::kModelled,
                   "a model"},
                  {"flops",
                   "compute",
                   "FLOP",
                   {1e21, 1e21, 1e21},
                   Origin::kModelled,
                   "6ND"}};
  plan.fits = false;
  plan.verdict = "40 GB of 16 GB";
  plan.choices = {{"data", "2"}};
  plan.bars = {
      {"memory per GPU", "GB", {{"weights", 10}, {"optimizer", 30}}, 16, "T4"}};
  plan.notes = {"a note"};
  plan.factors = {{"PUE", 1.1, "", "a source", "2024"}};
  return plan;
}

TEST(PlanReport, JsonHasEachFigureByItsKeyWithItsThreeQuantiles) {
  const auto json = nlohmann::json::parse(FormatPlan(Sample(), "json"));
  EXPECT_EQ(json["gpu_hours"]["low"], 90);
  EXPECT_EQ(json["gpu_hours"]["mid"], 100);
  EXPECT_EQ(json["gpu_hours"]["high"], 120);
  EXPECT_EQ(json["fits"], false);
  EXPECT_EQ(json["parallelism"]["data"], "2");
  EXPECT_EQ(json["sources"][0]["source"], "a source");
}

TEST(PlanReport, TextSaysIntervalOnceAndExactOfPoints) {
  const std::string text = FormatPlan(Sample(), "table");
  EXPECT_NE(text.find("90 to 120"), std::string::npos) << text;
  EXPECT_NE(text.find("exact"), std::string::npos);
  EXPECT_NE(text.find("does not fit: 40 GB of 16 GB"), std::string::npos);
  const size_t once = text.find("one run in five");
  ASSERT_NE(once, std::string::npos);
  EXPECT_EQ(text.find("one run in five", once + 1), std::string::npos);
}

TEST(PlanReport, BarOfAPartBeginsWhereTheOneBeforeEnds) {
  const std::string text = FormatPlan(Sample(), "table");
  EXPECT_NE(text.find("25 %  ##########\n"), std::string::npos) << text;
  EXPECT_NE(text.find("75 %            ##############################\n"),
            std::string::npos)
      << text;
}

TEST(PlanReport, PageDrawsAWaterfall) {
  const std::string page = FormatPlan(Sample(), "html");
  EXPECT_NE(page.find("<rect x=\"0%\" y=\"20\" width=\"25%\""),
            std::string::npos)
      << page;
  EXPECT_NE(page.find("<rect x=\"25%\" y=\"57\" width=\"75%\""),
            std::string::npos)
      << page;
}

TEST(PlanReport, CsvHasOneRowPerFigure) {
  EXPECT_EQ(FormatPlan(Sample(), "csv"),
            "key,low,mid,high,unit,origin,source\n"
            "gpu_hours,90,100,120,h,modelled,a model\n"
            "flops,1e+21,1e+21,1e+21,FLOP,modelled,6ND\n");
}

TEST(PlanReport, PageEscapesWhatItShows) {
  const std::string page = FormatPlan(Sample(), "html");
  EXPECT_NE(page.find("train &lt;toy&gt;"), std::string::npos);
  EXPECT_EQ(page.find("<toy>"), std::string::npos);
  EXPECT_EQ(page.find("http-equiv=\"refresh\""), std::string::npos);
}

}  // namespace
}  // namespace modicum
