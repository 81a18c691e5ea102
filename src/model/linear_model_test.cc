// SPDX-License-Identifier: Apache-2.0
#include "model/linear_model.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "model/bytes.h"
#include "model/logistic.h"
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

// A model with several classes, pairs of words and a calibration.
LinearWeights ThreeClasses() {
  LinearWeights w;
  w.config = {{1, 2}, {0, 0}};
  w.classes = w.rows = 3;
  w.solver_version = 230;
  w.bias = {0.5, -0.25, 0};
  w.slope = {2, 1, 0.5};
  w.offset = {0.125, 0, -1};
  HashFeatures("red green blue", w.config, w.hashes);
  Rng rng(3);
  for (size_t i = 0; i < w.hashes.size(); ++i) {
    w.idf.push_back(static_cast<float>(1 + rng.Unit()));
    for (size_t r = 0; r < 3; ++r)
      w.weights.push_back(static_cast<float>(rng.Unit() * 8 - 4));
  }
  return w;
}

double SumOfEffects(const Label& label) {
  double sum = 0;
  for (const Reason& reason : label.reasons) sum += reason.effect;
  return sum;
}

Label Explained(const LinearWeights& weights, std::string text, int count) {
  const std::vector<std::string> labels(weights.classes, "label");
  auto model = MakeLinearModel(EncodeLinear(weights), labels);
  NullSink sink;
  CallOptions options;
  options.explain = count;
  const std::vector<Item> items{TextItem(std::move(text))};
  return std::get<Label>((*model)->Predict(items, options, sink).value()[0]);
}

// Of two classes the effects and the bias sum to the log-odds of the answer,
// whichever it is.
TEST(LinearExplain, EffectsAndBiasSumToTheLogOdds) {
  LinearWeights w = TwoWords();
  w.slope = {1.5};
  w.offset = {-0.25};
  for (const char* text : {"good", "bad", "good good bad", "nothing known"}) {
    const Label label = Explained(w, text, 100);
    const double sign = label.index == 1 ? 1 : -1;
    const double p = label.probabilities[static_cast<size_t>(label.index)];
    EXPECT_NEAR(SumOfEffects(label) + sign * (1.5 * w.bias[0] - 0.25),
                std::log(p / (1 - p)), 1e-5)
        << text;
  }
}

// Of more classes they sum to the log-odds of the label's own sigmoid. That
// sigmoid is what the class answers before all are made to sum to one.
TEST(LinearExplain, EffectsSumToTheLabelsOwnScore) {
  LinearWeights w = ThreeClasses();
  for (int rounded = 0; rounded < 2; ++rounded) {
    for (const char* text : {"red green", "blue red blue", "GREEN blue x"}) {
      const Label label = Explained(w, text, 100);
      std::vector<double> own;
      // The other classes' answers follow from the ratios.
      const auto index = static_cast<size_t>(label.index);
      const double score = SumOfEffects(label) +
                           w.slope[index] * w.bias[index] + w.offset[index];
      double sum = 0;
      for (size_t other = 0; other < 3; ++other) {
        LinearWeights one = w;
        // Only this class can say anything: the others' sigmoids are a half.
        for (size_t r = 0; r < 3; ++r)
          if (r != other) one.slope[r] = one.offset[r] = 0;
        const Label alone = Explained(one, text, 0);
        const double p = alone.probabilities[other];
        own.push_back(p / (1 - p));  // s / (1/2 + 1/2) = s
        sum += own.back();
      }
      EXPECT_NEAR(own[index], Logistic(score), 1e-5) << text;
      EXPECT_NEAR(label.probabilities[index], own[index] / sum, 1e-5);
    }
    RoundToEightBits(w);
  }
}

TEST(LinearExplain, NamesTheNgramsStrongestFirst) {
  const Label label = Explained(TwoWords(), "Such GOOD, bad, news", 5);
  EXPECT_EQ(label.index, 0);
  ASSERT_EQ(label.reasons.size(), 2U);
  EXPECT_EQ(label.reasons[0].feature, "bad");
  EXPECT_NEAR(label.reasons[0].effect, 2 * 4 / std::sqrt(5), 1e-6);
  EXPECT_EQ(label.reasons[1].feature, "good");
  EXPECT_NEAR(label.reasons[1].effect, -3 / std::sqrt(5), 1e-6);
  EXPECT_EQ(Explained(TwoWords(), "good bad", 1).reasons.size(), 1U);
  EXPECT_EQ(Explained(TwoWords(), "neither", 5).reasons.size(), 0U);
  EXPECT_EQ(Explained(TwoWords(), "good bad", 0).reasons.size(), 0U);
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

TEST(LinearFile, RoundTripOfFoldedHashesAndEightBits) {
  LinearWeights w = ThreeClasses();
  w.config.hash_bits = 20;
  EXPECT_EQ(*DecodeLinear(EncodeLinear(w)), w);
  RoundToEightBits(w);
  EXPECT_EQ(*DecodeLinear(EncodeLinear(w)), w);
  w.config.hash_bits = 0;
  EXPECT_EQ(*DecodeLinear(EncodeLinear(w)), w);
}

TEST(LinearFile, NothingToRoundIsRounded) {
  LinearWeights w = TwoWords();
  w.weights = {0, 0};
  RoundToEightBits(w);
  EXPECT_EQ(*DecodeLinear(EncodeLinear(w)), w);
  EXPECT_EQ(PredictOne(w, "good").probabilities[1],
            PredictOne(TwoWords(), "").probabilities[1]);
  w = TwoWords();
  w.hashes.clear();
  w.idf.clear();
  w.weights.clear();
  RoundToEightBits(w);
  EXPECT_EQ(*DecodeLinear(EncodeLinear(w)), w);
}

// The sums of 8-bit weights are those of the floats they stand for.
TEST(LinearModel, EightBitAnswersAreThoseOfTheRoundedWeights) {
  LinearWeights rounded = ThreeClasses();
  RoundToEightBits(rounded);
  LinearWeights floats = ThreeClasses();
  floats.idf = rounded.idf;
  for (size_t i = 0; i < floats.weights.size(); ++i)
    floats.weights[i] =
        static_cast<float>(rounded.weights8[i]) * rounded.scale[i % 3];
  for (const char* text : {"red", "blue green red", "green green", ""}) {
    const Label a = Explained(rounded, text, 0);
    const Label b = Explained(floats, text, 0);
    for (size_t c = 0; c < 3; ++c)
      EXPECT_NEAR(a.probabilities[c], b.probabilities[c], 1e-6) << text;
  }
}

TEST(LinearFile, SecondFormatIsOnlyForWhatTheFirstCannotHold) {
  LinearWeights w = ThreeClasses();
  RoundToEightBits(w);
  const std::string bytes = EncodeLinear(w);
  const auto altered = [&](size_t at, char value) {
    std::string copy = bytes;
    copy[at] = value;
    const auto decoded = DecodeLinear(copy);
    return decoded ? "accepted" : decoded.error().message.substr(39);
  };
  EXPECT_EQ(bytes.substr(0, 12), std::string("MODLIN2\n\0\x08\0\0", 12));
  EXPECT_EQ(altered(8, 31), "its header has values out of range");
  EXPECT_EQ(altered(9, 4), "its header has values out of range");
  EXPECT_EQ(altered(10, 1), "its header has values out of range");
  EXPECT_EQ(altered(bytes.size() - 1, '\x80'),
            "it holds a number that is no 8-bit step");
  for (size_t n = 0; n < bytes.size(); ++n)
    ASSERT_FALSE(DecodeLinear(std::string_view(bytes).substr(0, n))) << n;
  // What MODLIN1 holds is MODLIN1.
  std::string plain = EncodeLinear(ThreeClasses());
  plain.replace(0, 8, std::string("MODLIN2\n\0\x20\0\0", 12));
  EXPECT_FALSE(DecodeLinear(plain));
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
