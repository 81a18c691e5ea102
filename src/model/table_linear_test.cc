// SPDX-License-Identifier: Apache-2.0
#include "model/table_linear.h"

#include <gmock/gmock.h>

#include <cmath>

#include "model/engine.h"
#include "model/logistic.h"
#include "model/test_data.h"
#include "model/test_tables.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TableWeights TwoColumns() {
  TableWeights w;
  w.solver_version = 230;
  w.columns = {"a", "b"};
  w.bias = {0.5};
  w.mean = {10, -1};
  w.scale = {0.5, 2};
  w.weights = {3, -4};
  return w;
}

const std::vector<std::string> kLabels{"no", "yes"};

Label PredictRow(std::vector<float> values, int explain = 0) {
  auto model = MakeTableLinear(EncodeTableLinear(TwoColumns()), kLabels);
  MODICUM_CHECK(model.has_value());
  NullSink sink;
  CallOptions options;
  options.explain = explain;
  const std::vector<Item> items{RowItem(std::move(values))};
  return std::get<Label>((*model)->Predict(items, options, sink).value().at(0));
}

TEST(TableLinear, MatchesTheFormulaByHand) {
  // 3 * (12 - 10) / 2 - 4 * (-0.5 + 1) * 2 + 0.5
  const Label label = PredictRow({12, -0.5});
  EXPECT_EQ(label.index, 0);
  EXPECT_NEAR(label.probabilities[1], Logistic(-0.5), 1e-6);
  EXPECT_NEAR(label.probabilities[0], 1 - Logistic(-0.5), 1e-6);
}

TEST(TableLinear, WhatIsMissingOrInfiniteCountsAsTheMean) {
  for (const float odd : {kNan, INFINITY, -INFINITY}) {
    EXPECT_NEAR(PredictRow({odd, odd}).probabilities[1], Logistic(0.5), 1e-6);
    EXPECT_NEAR(PredictRow({12, odd}).probabilities[1], Logistic(3.5), 1e-6);
  }
}

TEST(TableLinear, ExplainsTheAnsweredLabel) {
  const Label no = PredictRow({12, -0.5}, 5);
  ASSERT_EQ(no.reasons.size(), 2U);
  EXPECT_EQ(no.reasons[0].feature, "b = -0.5");
  EXPECT_NEAR(no.reasons[0].effect, 4, 1e-9);
  EXPECT_EQ(no.reasons[1].feature, "a = 12");
  EXPECT_NEAR(no.reasons[1].effect, -3, 1e-9);
  EXPECT_EQ(PredictRow({12, kNan}, 5).reasons.size(), 1U);
  EXPECT_EQ(PredictRow({12, -0.5}, 1).reasons.size(), 1U);
}

// Trains with the module and loads what it wrote.
Result<std::unique_ptr<Model>> Train(const Dataset& data, const Params& params,
                                     const std::string& folder) {
  MODICUM_TRY(Trainer * trainer, FindTrainer("linear"));
  MODICUM_RETURN_IF_ERROR(trainer->Accepts(data));
  NullSink sink;
  MODICUM_TRY(
      const TrainedModel trained,
      trainer->Train(data, AllRowsOf(data), params, {}, nullptr, folder, sink));
  EXPECT_THAT(trained.files, ElementsAre(kTableLinearFile));
  return LoadModel("linear", folder, data.labels, sink);
}

TEST(TableLinearTrain, LearnsTwoAndManyClasses) {
  for (const size_t classes : {2U, 3U, 8U}) {
    const TestFolder folder;
    const Dataset train = MakeTable(classes, 60, 8, 2, 0.02, 1);
    const Dataset test = MakeTable(classes, 30, 8, 2, 0.02, 2);
    const auto model = Train(train, {}, folder.path());
    ASSERT_TRUE(model) << model.error().message;
    NullSink sink;
    const auto outputs = (*model)->Predict(test.items, {}, sink).value();
    EXPECT_GE(AccuracyOf(outputs, test.items), 0.95) << classes;
    for (const Output& output : outputs) {
      const auto& p = std::get<Label>(output).probabilities;
      EXPECT_NEAR(std::accumulate(p.begin(), p.end(), 0.0), 1, 1e-5);
    }
    EXPECT_EQ((*model)->info().engine, "liblinear");
  }
}

// Standardised: the unit of a column changes no answer.
TEST(TableLinearTrain, UnitsDoNotMatter) {
  const TestFolder folder;
  Dataset data = MakeTable(3, 40, 4, 0.5);
  Dataset scaled = data;
  for (Item& item : scaled.items) {
    auto& values = std::get<Numbers>(item.payload).values;
    values[0] = values[0] * 1024 + 4096;
    values[2] = values[2] / 1024;
  }
  NullSink sink;
  const auto plain = Train(data, {}, folder.Sub("a"));
  const auto other = Train(scaled, {}, folder.Sub("b"));
  const auto a = (*plain)->Predict(data.items, {}, sink).value();
  const auto b = (*other)->Predict(scaled.items, {}, sink).value();
  for (size_t i = 0; i < a.size(); ++i)
    for (size_t c = 0; c < 3; ++c)
      EXPECT_NEAR(std::get<Label>(a[i]).probabilities[c],
                  std::get<Label>(b[i]).probabilities[c], 1e-3);
}

TEST(TableLinearTrain, ConstantAndEmptyColumnsWeighNothing) {
  const TestFolder folder;
  Dataset data = MakeTable(2, 40, 3, 1);
  for (Item& item : data.items) {
    auto& values = std::get<Numbers>(item.payload).values;
    values[1] = 7;
    values[2] = kNan;
  }
  const auto model = Train(data, {}, folder.path());
  ASSERT_TRUE(model) << model.error().message;
  NullSink sink;
  const std::vector<Item> items{RowItem({1, 7, kNan}), RowItem({1, -900, 900})};
  const auto outputs = (*model)->Predict(items, {}, sink).value();
  EXPECT_EQ(std::get<Label>(outputs[0]).probabilities,
            std::get<Label>(outputs[1]).probabilities);
}

TEST(TableLinearTrain, RefusesWhatItCannotUse) {
  const TestFolder folder;
  Dataset data = MakeTable(2, 5, 2);
  const auto message = [&](const Params& params) {
    const auto model = Train(data, params, folder.path());
    return model ? "" : model.error().message;
  };
  EXPECT_EQ(message({{"word_ngrams", std::string("1")}}),
            "family linear on a table has no parameter 'word_ngrams'");
  EXPECT_EQ(message({{"C", 0.0}}),
            "parameter C = 0: a number from 1e-06 to 1000000 expected");
  std::get<Numbers>(data.items[3].payload).values[1] = INFINITY;
  EXPECT_EQ(message({}), "row 4 of table: column 'x1' is infinite");
  data.items[3] = RowItem({1}, 1);
  EXPECT_EQ(message({}), "item 0 has 1 numbers, the model needs 2");
}

TEST(TableLinearFile, RoundTripAndPinnedSize) {
  TableWeights w = TwoColumns();
  EXPECT_EQ(*DecodeTableLinear(EncodeTableLinear(w)), w);
  EXPECT_EQ(EncodeTableLinear(w).size(), 8U + 16 + 2 * 5 + 5 * 8 + 2 * 4);
  w.classes = w.rows = 3;
  w.bias = {1, 2, 3};
  w.weights = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(*DecodeTableLinear(EncodeTableLinear(w)), w);
}

TEST(TableLinearFile, EveryTruncationAndExtensionIsRefused) {
  const std::string bytes = EncodeTableLinear(TwoColumns());
  for (size_t n = 0; n < bytes.size(); ++n) {
    const auto w = DecodeTableLinear(std::string_view(bytes).substr(0, n));
    ASSERT_FALSE(w) << n;
    EXPECT_EQ(w.error().code, ErrorCode::kInvalidInput);
  }
  EXPECT_EQ(DecodeTableLinear(bytes + "x").error().message,
            "not a linear model this program wrote: it is longer than its "
            "header says");
}

TEST(TableLinearFile, DamageIsRefused) {
  const auto message = [](auto change) {
    TableWeights w = TwoColumns();
    change(w);
    const auto decoded = DecodeTableLinear(EncodeTableLinear(w));
    return decoded ? "" : decoded.error().message;
  };
  using W = TableWeights&;
  EXPECT_THAT(message([](W w) { w.rows = 2; }), HasSubstr("out of range"));
  EXPECT_THAT(message([](W w) { w.classes = 0; }), HasSubstr("out of range"));
  EXPECT_THAT(message([](W w) { w.mean[0] = INFINITY; }),
              HasSubstr("a number out of range"));
  EXPECT_THAT(message([](W w) { w.columns[1] = "\xC0"; }),
              HasSubstr("a column's name is not text"));
  std::string bytes = EncodeTableLinear(TwoColumns());
  for (size_t i = 16; i < 20; ++i) bytes[i] = '\x7F';  // columns
  EXPECT_THAT(DecodeTableLinear(bytes).error().message,
              HasSubstr("shorter than its header says"));
  EXPECT_EQ(
      MakeTableLinear(EncodeTableLinear(TwoColumns()), {"a"}).error().message,
      "the linear model has 2 classes, its card 1");
}

}  // namespace
}  // namespace modicum
