// SPDX-License-Identifier: Apache-2.0
#include "model/linear_model.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "model/bytes.h"
#include "model/test_data.h"

namespace modicum {
namespace {

uint32_t HashOf(std::string_view word) {
  std::vector<uint32_t> hashes;
  HashFeatures(word, {{1, 1}, {0, 0}}, hashes);
  return hashes.at(0);
}

// "good" speaks for class 1, "bad" for class 0.
LinearWeights TwoWords() {
  LinearWeights w;
  w.config = {{1, 1}, {0, 0}};
  w.solver_version = 230;
  w.bias = {0.5};
  w.slope = {1};
  w.offset = {0};
  w.hashes = {HashOf("good"), HashOf("bad")};
  w.idf = {1, 2};
  w.weights = {3, -4};
  return w;
}

const std::vector<std::string> kLabels{"no", "yes"};

Label PredictOne(const LinearWeights& weights, std::string text) {
  auto model = MakeLinearModel(EncodeLinear(weights), kLabels);
  MODICUM_CHECK(model.has_value());
  NullSink sink;
  const std::vector<Item> items{TextItem(std::move(text))};
  return std::get<Label>((*model)->Predict(items, {}, sink).value().at(0));
}

double Logistic(double x) { return 1 / (1 + std::exp(-x)); }

// By hand: value = (1 + ln count) * idf, unit length, dot weights, plus bias.
TEST(LinearModel, MatchesTheFormulaByHand) {
  const double good = 1 + std::log(2.0);
  const double bad = 2;
  const double score = (good * 3 - bad * 4) / std::hypot(good, bad) + 0.5;
  const Label label = PredictOne(TwoWords(), "Good, bad and GOOD");
  EXPECT_EQ(label.index, 0);
  EXPECT_NEAR(label.probabilities[1], Logistic(score), 1e-6);
  EXPECT_NEAR(label.probabilities[0], 1 - Logistic(score), 1e-6);
}

TEST(LinearModel, UnknownWordsGiveTheBias) {
  for (const char* text : {"", "neither of them", "\xFF\xFE"})
    EXPECT_NEAR(PredictOne(TwoWords(), text).probabilities[1], Logistic(0.5),
                1e-6);
}

TEST(LinearModel, RepeatingATextChangesNothingButCounts) {
  // An item's answer does not depend on the items beside it.
  auto model = MakeLinearModel(EncodeLinear(TwoWords()), kLabels);
  NullSink sink;
  std::vector<Item> items;
  for (int i = 0; i < 200; ++i)
    items.push_back(TextItem(i % 3 == 0 ? "good" : "bad good other"));
  const auto together = (*model)->Predict(items, {}, sink).value();
  ASSERT_EQ(together.size(), items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    const auto alone =
        (*model)->Predict(std::span(items).subspan(i, 1), {}, sink).value();
    EXPECT_EQ(std::get<Label>(alone[0]).probabilities,
              std::get<Label>(together[i]).probabilities);
  }
}

TEST(LinearModel, ReportsPhasesAndInfo) {
  auto model = MakeLinearModel(EncodeLinear(TwoWords()), kLabels);
  PhaseList phases;
  const std::vector<Item> items{TextItem("good")};
  ASSERT_TRUE((*model)->Predict(items, {}, phases));
  EXPECT_EQ(phases.seen, (std::vector{Phase::kPrepare, Phase::kPrefill}));
  const ModelInfo& info = (*model)->info();
  EXPECT_EQ(info.family, "linear");
  EXPECT_EQ(info.engine, "liblinear");
  EXPECT_EQ(info.engine_version, "2.30");
  EXPECT_EQ(info.parameters, 7U);
  EXPECT_EQ(info.bytes.value(),
            static_cast<double>(EncodeLinear(TwoWords()).size()));
  EXPECT_EQ(info.not_deterministic, "");
}

TEST(LinearModel, StopsAndRefusesOtherPayloads) {
  auto model = MakeLinearModel(EncodeLinear(TwoWords()), kLabels);
  NullSink sink;
  std::stop_source stop;
  stop.request_stop();
  CallOptions options;
  options.stop = stop.get_token();
  std::vector<Item> items{TextItem("good")};
  EXPECT_EQ((*model)->Predict(items, options, sink).error().code,
            ErrorCode::kInterrupted);
  items[0].payload = Audio{};
  EXPECT_EQ((*model)->Predict(items, {}, sink).error().code,
            ErrorCode::kInvalidInput);
}

TEST(LinearFile, RoundTrip) {
  LinearWeights w = TwoWords();
  EXPECT_EQ(*DecodeLinear(EncodeLinear(w)), w);
  w.classes = w.rows = 3;
  w.bias = w.slope = w.offset = {1, 2, 3};
  w.weights = {1, 2, 3, 4, 5, 6};
  w.config.chars = {3, 5};
  EXPECT_EQ(*DecodeLinear(EncodeLinear(w)), w);
}

// The layout is the same on every machine.
TEST(LinearFile, BytesArePinned) {
  const std::string bytes = EncodeLinear(TwoWords());
  EXPECT_EQ(bytes.size(), 8U + 4 + 16 + 24 + 3 * 8);
  EXPECT_EQ(bytes.substr(0, 28), std::string("MODLIN1\n"
                                             "\1\1\0\0"
                                             "\2\0\0\0"
                                             "\1\0\0\0"
                                             "\2\0\0\0"
                                             "\xE6\0\0\0",
                                             28));
}

TEST(LinearFile, EveryTruncationAndExtensionIsRefused) {
  const std::string bytes = EncodeLinear(TwoWords());
  for (size_t n = 0; n < bytes.size(); ++n) {
    const auto w = DecodeLinear(std::string_view(bytes).substr(0, n));
    ASSERT_FALSE(w) << n;
    EXPECT_EQ(w.error().code, ErrorCode::kInvalidInput);
  }
  EXPECT_EQ(DecodeLinear(bytes + "x").error().message,
            "not a linear model this program wrote: it is longer than its "
            "header says");
}

TEST(LinearFile, HugeCountsAllocateNothing) {
  std::string bytes = EncodeLinear(TwoWords());
  for (size_t i = 20; i < 24; ++i) bytes[i] = '\xFF';  // features
  EXPECT_EQ(DecodeLinear(bytes).error().message,
            "not a linear model this program wrote: it is shorter than its "
            "header says");
}

TEST(LinearFile, NumbersThatAreNotFiniteAreRefused) {
  LinearWeights w = TwoWords();
  w.weights[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(DecodeLinear(EncodeLinear(w)).error().message,
            "not a linear model this program wrote: it holds a number that is "
            "not finite");
}

TEST(LinearFile, LabelsMustFitAndFeaturesBeUnique) {
  EXPECT_EQ(MakeLinearModel(EncodeLinear(TwoWords()), {"a", "b", "c"})
                .error()
                .message,
            "the linear model has 2 classes, its card 3");
  LinearWeights w = TwoWords();
  w.hashes[1] = w.hashes[0];
  EXPECT_EQ(MakeLinearModel(EncodeLinear(w), kLabels).error().message,
            "not a linear model this program wrote: a feature comes twice");
}

TEST(HashIndex, FindsAllAndNothingElse) {
  Rng rng(5);
  std::vector<uint32_t> hashes;
  for (int i = 0; i < 1000; ++i) hashes.push_back(rng.Next() | 1U);
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  hashes.push_back(0);  // zero is a hash like any other
  const HashIndex index(hashes);
  for (uint32_t i = 0; i < hashes.size(); ++i)
    EXPECT_EQ(index.Find(hashes[i]), i);
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(index.Find((rng.Next() & ~1U) + 2), HashIndex::kAbsent);
  EXPECT_EQ(HashIndex(std::vector<uint32_t>{}).Find(7), HashIndex::kAbsent);
}

}  // namespace
}  // namespace modicum
