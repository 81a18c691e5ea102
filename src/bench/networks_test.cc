// SPDX-License-Identifier: Apache-2.0
#include "bench/networks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "bench/texts.h"
#include "model/fake_network.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;

// Tokens are bytes; every one is as likely as the other 255.
class ByteNetwork final : public FakeNetwork {
 public:
  ByteNetwork() {
    info_.architecture = "bytes";
    info_.context = 64;
    info_.labels = {"no", "yes"};
    info_.generates = true;
    info_.parameters = 1000;
  }
  Result<TokenIds> Tokenize(std::string_view text,
                            bool special) const override {
    TokenIds tokens;
    if (special) tokens.push_back(1000);
    for (const char c : text) tokens.push_back(static_cast<uint8_t>(c));
    return tokens;
  }
  std::string Piece(TokenId token) const override {
    return token >= 256 ? "" : std::string(1, static_cast<char>(token));
  }
  Result<Generation> Generate(std::span<const TokenId> prompt,
                              const GenerateOptions& options,
                              const std::function<bool(std::string_view)>&,
                              PhaseSink&) override {
    if (prompt.size() > info_.context)
      return Fail(ErrorCode::kInvalidInput, "the prompt does not fit");
    Generation generation;
    generation.tokens.assign(options.max_tokens, 'z');
    generation.text = std::string(options.max_tokens, 'z');
    return generation;
  }
  Result<std::vector<double>> LogLikelihoods(
      std::span<const TokenId>, std::span<const TokenIds> continuations,
      const CallOptions&, PhaseSink&) override {
    std::vector<double> nats;
    for (const TokenIds& tokens : continuations)
      nats.push_back(-std::log(256.0) * static_cast<double>(tokens.size()));
    return nats;
  }
  Result<std::vector<Importance>> MeasureImportance(std::span<const TokenId>,
                                                    const CallOptions&,
                                                    PhaseSink&) override {
    return std::vector<Importance>();
  }
  Result<std::vector<std::vector<float>>> Embed(std::span<const TokenIds> texts,
                                                bool, const CallOptions&,
                                                PhaseSink&) override {
    return std::vector<std::vector<float>>(texts.size(), {1, 0});
  }
  // "yes" for a text of an even number of bytes.
  Result<std::vector<std::vector<float>>> Classify(
      std::span<const TokenIds> texts, const CallOptions&,
      PhaseSink&) override {
    std::vector<std::vector<float>> logits;
    for (const TokenIds& text : texts)
      logits.push_back(text.size() % 2 == 1 ? std::vector<float>{-1, 1}
                                            : std::vector<float>{1, -1});
    return logits;
  }
};

class NetworksTest : public ::testing::Test {
 protected:
  NetworksTest() {
    settings_.task = *FindBenchTask("text-classification");
    workload_.settings = &settings_;
    workload_.data = "texts";
    workload_.labels = {"no", "yes"};
  }
  std::vector<Item> Texts(std::initializer_list<const char*> texts,
                          std::initializer_list<LabelIndex> labels = {}) {
    std::vector<Item> items;
    for (const char* text : texts) {
      const uint64_t id = items.size();
      items.push_back({id, id, Text{text}, 0});
      if (id < labels.size()) items.back().label = labels.begin()[id];
    }
    return items;
  }
  TaskSettings settings_;
  Workload workload_;
  NullSink sink_;
  Work work_;
};

TEST_F(NetworksTest, AClassifierAnswersItsLikeliestLabelAndCountsTokens) {
  const auto subject = NetworkClassifier(std::make_unique<ByteNetwork>());
  const auto items = Texts({"ab", "abc"}, {1, 1});
  const auto outputs = subject->Infer(items, {}, sink_, work_);
  ASSERT_TRUE(outputs.has_value());
  const auto& first = std::get<Label>((*outputs)[0]);
  EXPECT_EQ(first.index, 1);
  EXPECT_NEAR(first.probabilities[1], 1 / (1 + std::exp(-2.0)), 1e-6);
  EXPECT_EQ(std::get<Label>((*outputs)[1]).index, 0);
  EXPECT_EQ(work_.tokens_in, 3U + 4U);
  EXPECT_EQ(work_.tokens_out, 0U);
  const auto scored = ScoreLabels(*subject, workload_, items, *outputs, {});
  ASSERT_TRUE(scored.has_value());
  EXPECT_NEAR(scored->figure->mid, 0.5, 1e-9);
  EXPECT_NEAR(*scored->correct_share, 0.5, 1e-9);
}

TEST_F(NetworksTest, AGeneratorAddsTheTokensThatWereAskedFor) {
  const auto subject = NetworkGenerator(std::make_unique<ByteNetwork>(), 10);
  const auto outputs = subject->Infer(Texts({"abcd"}), {}, sink_, work_);
  ASSERT_TRUE(outputs.has_value());
  EXPECT_EQ(std::get<Generated>((*outputs)[0]).tokens, 10U);
  EXPECT_EQ(work_.tokens_in, 5U);
  EXPECT_EQ(work_.tokens_out, 10U);
}

TEST_F(NetworksTest, AnEmbedderGivesAVectorAText) {
  const auto subject = NetworkEmbedder(std::make_unique<ByteNetwork>());
  const auto outputs = subject->Infer(Texts({"a", "b"}), {}, sink_, work_);
  ASSERT_TRUE(outputs.has_value());
  EXPECT_EQ(outputs->size(), 2U);
  EXPECT_THAT(std::get<Vector>((*outputs)[0]).values, ElementsAre(1, 0));
}

// A byte that may be any of 256 costs eight bits, whatever the text.
TEST_F(NetworksTest, BitsPerByteOfAUniformNetworkAreEight) {
  const auto subject = NetworkGenerator(std::make_unique<ByteNetwork>(), 10);
  const auto items = Texts({"one", "", "three words here", "x"});
  const auto scored = ScoreLikelihood(*subject, workload_, items, {}, {});
  ASSERT_TRUE(scored.has_value());
  ASSERT_TRUE(scored->figure.has_value());
  EXPECT_EQ(scored->figure->metric, "bits-per-byte");
  EXPECT_NEAR(scored->figure->mid, 8, 1e-9);
  EXPECT_NEAR(scored->figure->low, 8, 1e-6);
  EXPECT_NEAR(scored->figure->high, 8, 1e-6);
  EXPECT_EQ(scored->figure->items, 3U);  // an empty text tells nothing
  const auto none = ScoreLikelihood(*subject, workload_, Texts({""}), {}, {});
  EXPECT_FALSE(none->figure.has_value());
  EXPECT_THAT(none->note, ::testing::HasSubstr("fewer than two texts"));
}

TEST_F(NetworksTest, ATextLongerThanTheContextIsScoredAsFarAsItFits) {
  const auto subject = NetworkGenerator(std::make_unique<ByteNetwork>(), 10);
  const std::string text(500, 'a');
  const auto items = Texts({text.c_str(), "b"});
  const auto scored = ScoreLikelihood(*subject, workload_, items, {}, {});
  ASSERT_TRUE(scored->figure.has_value());
  EXPECT_NEAR(scored->figure->mid, 8, 1e-9);
}

TEST(KeepWords, KeepsThemAsTheyStand) {
  const auto kept = [](const char* text, uint64_t words) {
    Item item;
    item.payload = Text{text};
    KeepWords(item, words);
    return std::get<Text>(item.payload).text;
  };
  EXPECT_EQ(kept("one  two\tthree four", 3), "one  two\tthree");
  EXPECT_EQ(kept(" one two", 1), " one");
  EXPECT_EQ(kept("one two", 5), "one two");
  EXPECT_EQ(kept("one two", 0), "one two");
  EXPECT_EQ(kept("", 3), "");
}

}  // namespace
}  // namespace modicum
