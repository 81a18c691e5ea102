// SPDX-License-Identifier: Apache-2.0
// Which tokens are hidden, and that an encoder learns to find them: its
// gradients against the reference, whole pretrainings stopped and resumed.
#include "model/ggml/hidden_tokens.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "base/fake_clock.h"
#include "model/ggml/encoder_pretraining.h"
#include "model/ggml/encoder_sample.h"
#include "model/ggml/reference_gradients.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;

// Tokens 0 to 3 stand around and fill, 4 is the mask.
HidingRule Rule(uint32_t vocabulary) {
  HidingRule rule;
  rule.mask = 4;
  rule.special.assign(vocabulary, false);
  std::fill_n(rule.special.begin(), 5, true);
  return rule;
}

TEST(HideTokens, FollowsBert) {
  constexpr size_t kTexts = 400;
  constexpr uint32_t kVocabulary = 1000;
  std::vector<TokenIds> texts;
  std::vector<uint32_t> rows;
  Rng rng(2);
  for (uint32_t i = 0; i < kTexts; ++i) {
    TokenIds text = {2};
    for (int k = 0; k < 100; ++k)
      text.push_back(static_cast<TokenId>(5 + rng.Below(kVocabulary - 5)));
    text.push_back(3);
    texts.push_back(std::move(text));
    rows.push_back(i);
  }
  const EncoderBatch whole = MakeBatch(texts, rows, 102);
  EncoderBatch batch = whole;
  HideTokens(Rule(kVocabulary), rng, batch);
  ASSERT_EQ(batch.asked.size(), kTexts * 15);
  double masked = 0, kept = 0;
  for (size_t i = 0; i < batch.asked.size(); ++i) {
    const auto at = static_cast<size_t>(batch.asked[i]);
    EXPECT_EQ(batch.wanted[i], whole.tokens[at]);
    EXPECT_GT(at % 102, 0U);
    EXPECT_LT(at % 102, 101U);
    masked += batch.tokens[at] == 4 ? 1 : 0;
    kept += batch.tokens[at] == batch.wanted[i] ? 1 : 0;
    EXPECT_GE(batch.tokens[at], 4);
  }
  // Of 6,000, within four standard deviations.
  EXPECT_NEAR(masked / 6000, 0.8, 4 * std::sqrt(0.16 / 6000));
  EXPECT_NEAR(kept / 6000, 0.1, 4 * std::sqrt(0.09 / 6000) + 0.001);
  // Nothing else was touched.
  const std::set<int32_t> hidden(batch.asked.begin(), batch.asked.end());
  EXPECT_EQ(hidden.size(), batch.asked.size());
  for (size_t at = 0; at < whole.tokens.size(); ++at) {
    if (hidden.count(static_cast<int32_t>(at)) == 0) {
      EXPECT_EQ(batch.tokens[at], whole.tokens[at]);
    }
  }
}

TEST(HideTokens, HidesOneOfAShortTextAndNoneOfAnEmptyOne) {
  const std::vector<TokenIds> texts = {{2, 7, 3}, {2, 3}, {2, 7, 8, 3}};
  EncoderBatch batch = MakeBatch(texts, std::vector<uint32_t>{0, 1, 2}, 7);
  Rng rng(1);
  HideTokens(Rule(11), rng, batch);
  ASSERT_EQ(batch.asked.size(), 2U);
  EXPECT_EQ(batch.asked[0], 1);
  EXPECT_EQ(batch.wanted[0], 7);
  EXPECT_GE(batch.asked[1], 9);
}

EncoderShape Masked(const EncoderShape& shape) {
  EncoderShape masked = shape;
  masked.labels = 0;
  masked.head = HeadKind::kFillMask;
  return masked;
}

EncoderBatch HiddenBatch(const EncoderShape& shape) {
  EncoderBatch batch = SomeBatch(kTwoLayers, 9);
  batch.targets.clear();
  HidingRule rule;
  rule.mask = 4;
  rule.special.assign(shape.vocabulary, false);
  Rng rng(3);
  HideTokens(rule, rng, batch);
  return batch;
}

TEST(MaskedGraph, LogitsAreThoseOfTheReference) {
  for (const EncoderShape& of : {kTwoLayers, kImported}) {
    const EncoderShape shape = Masked(of);
    const auto weights = SomeWeights(shape);
    EncoderGraph graph(*weights, 1, {});
    const EncoderBatch batch = HiddenBatch(shape);
    const auto logits = graph.Logits(batch);
    ASSERT_TRUE(logits);
    const ReferenceEncoder reference(*weights);
    for (size_t i = 0; i < batch.asked.size(); ++i) {
      const size_t text = static_cast<size_t>(batch.asked[i]) / batch.length;
      const int32_t* from = &batch.tokens[text * batch.length];
      const auto expected =
          reference.TokenLogits({from, from + batch.lengths[text]});
      const auto& row =
          expected[static_cast<size_t>(batch.asked[i]) - text * batch.length];
      for (size_t token = 0; token < row.size(); ++token)
        EXPECT_NEAR((*logits)[i * row.size() + token], row[token], 1e-5);
    }
  }
}

// Every number of every parameter by central differences; the embedding has
// its gradient from both ends.
TEST(MaskedGraph, GradientsAreThoseOfTheReference) {
  const EncoderShape shape = Masked(kImported);
  const auto weights = SomeWeights(shape);
  const EncoderBatch batch = HiddenBatch(shape);
  ExpectGradientsOfTheReference(*weights, batch, batch);
}

// Tokens 5, 6, 7 follow each other in a ring, 8, 9, 10 in another: what is
// hidden can be told by what stands beside it.
std::vector<TokenIds> Rings(size_t count) {
  Rng rng(9);
  std::vector<TokenIds> texts;
  for (size_t i = 0; i < count; ++i) {
    const auto ring = static_cast<TokenId>(5 + 3 * rng.Below(2));
    const uint32_t start = rng.Below(3);
    TokenIds text = {2};
    for (uint32_t k = 0; k < 5; ++k)
      text.push_back(ring + static_cast<TokenId>((start + k) % 3));
    text.push_back(3);
    texts.push_back(std::move(text));
  }
  return texts;
}

class PretrainTest : public ::testing::Test {
 protected:
  PretrainTest() : texts_(Rings(300)), rule_(Rule(kTwoLayers.vocabulary)) {
    settings_.epochs = 60;
    settings_.rate = 1e-2;
    budget_.seed = 5;
  }
  Result<std::vector<float>> Pretrained(Checkpoint* checkpoint = nullptr,
                                        Clock& clock = SystemClock()) {
    EncoderWeights weights(kTwoLayers);
    weights.Draw(1);
    MODICUM_RETURN_IF_ERROR(
        PretrainEncoder(weights, {settings_, texts_, rule_, budget_, checkpoint,
                                  Hash{1}, &clock, on_epoch_}));
    return weights.Copy();
  }

  const std::vector<TokenIds> texts_;
  const HidingRule rule_;
  PretrainingSettings settings_;
  Budget budget_;
  std::function<void(uint32_t, double)> on_epoch_;
};

TEST_F(PretrainTest, LearnsWhatIsHidden) {
  std::vector<double> losses;
  on_epoch_ = [&](uint32_t, double loss) { losses.push_back(loss); };
  const auto values = Pretrained();
  ASSERT_TRUE(values.has_value()) << values.error().message;
  ASSERT_EQ(losses.size(), 60U);
  // Six tokens at the beginning, one of them is certain at the end (but for
  // what was drawn at random and not seen through).
  EXPECT_GT(losses[0], 1.5);
  EXPECT_LT(losses.back(), 0.8);
  // The head was not of the classifier's.
  EncoderWeights fresh(kTwoLayers);
  fresh.Draw(1);
  const std::vector<float> before = fresh.Copy();
  const size_t head = ParametersOf(kTwoLayers, Learns::kHead);
  EXPECT_TRUE(std::equal(values->end() - static_cast<int64_t>(head),
                         values->end(),
                         before.end() - static_cast<int64_t>(head)));
  EXPECT_NE(values->front(), before.front());
}

TEST_F(PretrainTest, IsTheSameWhateverTheThreadsButForRounding) {
  settings_.epochs = 2;
  const auto whole = Pretrained();
  budget_.threads = 2;
  EXPECT_THAT(*Pretrained(),
              testing::Pointwise(testing::FloatNear(1e-4F), *whole));
}

TEST_F(PretrainTest, GoesOnWhereItWasStopped) {
  settings_.epochs = 3;
  const auto whole = Pretrained();
  const std::string path = ::testing::TempDir() + "pretrain-checkpoint";
  Checkpoint checkpoint(path, Seconds(0));
  std::stop_source stop;
  budget_.stop = stop.get_token();
  on_epoch_ = [&](uint32_t epoch, double) {
    if (epoch == 1) stop.request_stop();
  };
  EXPECT_EQ(Pretrained(&checkpoint).error().code, ErrorCode::kInterrupted);
  budget_.stop = {};
  std::vector<uint32_t> epochs;
  on_epoch_ = [&](uint32_t epoch, double) { epochs.push_back(epoch); };
  const auto resumed = Pretrained(&checkpoint);
  ASSERT_TRUE(resumed.has_value()) << resumed.error().message;
  EXPECT_EQ(epochs, std::vector<uint32_t>{2});
  EXPECT_EQ(*resumed, *whole);
  // The state stays until what follows has one of its own; a damaged one is
  // refused.
  ASSERT_TRUE(checkpoint.Save(Hash{1}, "x"));
  EXPECT_THAT(Pretrained(&checkpoint).error().message,
              HasSubstr("a damaged checkpoint"));
  checkpoint.Remove();
}

TEST_F(PretrainTest, EndsWithItsTime) {
  FakeClock clock;
  budget_.wall = Seconds(25);
  size_t epochs = 0;
  on_epoch_ = [&](uint32_t, double) {
    ++epochs;
    clock.Tick(Seconds(10));
  };
  ASSERT_TRUE(Pretrained(nullptr, clock).has_value());
  EXPECT_EQ(epochs, 3U);
}

TEST_F(PretrainTest, RefusesWhatDoesNotFitIntoTheMemory) {
  budget_.memory = Bytes(10000);
  EXPECT_THAT(Pretrained().error().message,
              HasSubstr("more than the budget of 10 kB"));
}

}  // namespace
}  // namespace modicum
