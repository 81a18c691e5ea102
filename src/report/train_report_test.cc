// SPDX-License-Identifier: Apache-2.0
#include "report/train_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace modicum {
namespace {

TrainResult SampleTraining() {
  TrainResult result;
  result.name = "tagger";
  result.kind = "token-classification";
  result.network = "tagger.gguf";
  result.head = "tagger.head.gguf";
  result.parameters = 1234567;
  result.labels = 4;
  result.examples = 2461;
  result.baseline = "a table of words";
  result.metric = "f1";
  result.epochs = {{1, 0.5, 0.8}, {2, 0.25, 0.91}, {3, 0.2, 0.9}};
  result.validation = {{"f1", "validation", 0.91, 0.9, 0.92, 300},
                       {"f1", "validation", 0.6, 0.58, 0.62, 300},
                       0.31,
                       {0.3, 0.32}};
  return result;
}

TEST(TrainReport, SaysHowGoodItIsBesideWhatCostsNothing) {
  TrainResult result = SampleTraining();
  result.test = {{"f1", "test", 0.9, 0.88, 0.92, 200},
                 {"f1", "test", 0.6, 0.58, 0.62, 200},
                 0.3,
                 {0.28, 0.32}};
  result.notes = {"mind the gap"};
  EXPECT_EQ(
      FormatTrain(result),
      "head       token-classification of 4 tags, learned from 2,461 examples\n"
      "network    tagger.gguf and tagger.head.gguf: 1,234,567 parameters\n"
      "epochs     3; the best here was 2: f1 91.0 % on the validation data\n"
      "baseline   a table of words\n"
      "\n"
      "    data        f1 [95 %]            baseline [95 %]      difference "
      "[90 %]     items\n"
      "    validation  91.0 % [90.0, 92.0]  60.0 % [58.0, 62.0]  31.0 pt "
      "[30.0, 32.0]    300\n"
      "    test        90.0 % [88.0, 92.0]  60.0 % [58.0, 62.0]  30.0 pt "
      "[28.0, 32.0]    200\n"
      "\n"
      "verdict    better than the baseline, beyond doubt\n"
      "note       mind the gap\n");
}

TEST(TrainReport, SaysWhenTheBaselineDoesAsWell) {
  TrainResult result = SampleTraining();
  result.base = "bert.gguf";
  result.frozen = true;
  result.epochs.clear();
  result.validation.interval.low = -0.001;
  const std::string text = FormatTrain(result);
  EXPECT_NE(text.find("1,234,567 parameters; the body of bert.gguf\n"),
            text.npos);
  EXPECT_NE(text.find("epochs     all were done before\n"), text.npos);
  EXPECT_NE(text.find("verdict    the baseline does as well: that the network "
                      "is better is not established\n"),
            text.npos);
  EXPECT_NE(text.find("note       the validation data chose the epoch"),
            text.npos);
  result.validation.interval = {-0.2, -0.1};
  EXPECT_NE(FormatTrain(result).find("verdict    worse than the baseline, "
                                     "beyond doubt"),
            text.npos);
}

TEST(TrainReport, JsonHasTheFigures) {
  const nlohmann::json json = TrainJson(SampleTraining());
  EXPECT_EQ(json["base"], nullptr);
  EXPECT_EQ(json["test"], nullptr);
  EXPECT_EQ(json["epochs"].size(), 3U);
  EXPECT_EQ(json["validation"]["network"]["value"], 0.91);
  EXPECT_EQ(json["validation"]["beats_baseline"], true);
}

}  // namespace
}  // namespace modicum
