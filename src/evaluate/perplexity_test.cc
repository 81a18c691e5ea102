// SPDX-License-Identifier: Apache-2.0
// On networks whose predictions are known, so that every figure is.
#include "evaluate/perplexity.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "evaluate/fake_network.h"

namespace modicum {
namespace {

// Of four tokens; the same prediction everywhere.
class Constant final : public FakeNetwork {
 public:
  explicit Constant(const std::vector<double>& probabilities,
                    uint32_t context = 64) {
    for (const double p : probabilities)
      logits_.push_back(static_cast<float>(std::log(p)) + 3);
    info_.context = context;
    info_.vocabulary = static_cast<uint32_t>(logits_.size());
    info_.beginning = 0;
  }
  Status Logits(
      std::span<const TokenId> tokens, size_t from, const CallOptions&,
      const std::function<void(size_t, std::span<const float>)>& visit,
      PhaseSink& sink) override {
    sink.Begin(Phase::kPrefill);
    begins.insert(tokens[0]);
    for (size_t i = from; i < tokens.size(); ++i) visit(i, logits_);
    return {};
  }

  std::set<TokenId> begins;

 private:
  std::vector<float> logits_;
};

class Phases final : public PhaseSink {
 public:
  void Begin(Phase phase) override { all.push_back(phase); }
  void Step(Phase, std::span<const SeqWork>) override {}
  std::vector<Phase> all;
};

// 1 2 1 2 ...: never what a text begins with.
TokenIds Text(size_t count) {
  TokenIds text(count);
  for (size_t i = 0; i < count; ++i) text[i] = 1 + static_cast<TokenId>(i % 2);
  return text;
}

TEST(Perplexity, ScoresTheSecondHalfOfEveryChunk) {
  Constant network({0.1, 0.4, 0.2, 0.3});
  NullSink sink;
  const PerplexityFigure figure =
      MeasurePerplexity(network, nullptr, Text(25), {.context = 8}, sink)
          .value();
  // Three chunks, tokens 5, 6 and 7 of each: 2, 1, 2.
  EXPECT_EQ(figure.chunks, 3U);
  EXPECT_EQ(figure.tokens, 9U);
  const double loss = -(std::log(0.4) + 2 * std::log(0.2)) / 3;
  EXPECT_NEAR(figure.perplexity.mid, std::exp(loss), 1e-5);
  // Six losses of -log 0.2 and three of -log 0.4.
  const double spread = std::log(2.0) * std::sqrt(2.0 / 9);
  EXPECT_NEAR(figure.perplexity.error, std::exp(loss) * spread / std::sqrt(8.0),
              1e-5);
  EXPECT_THAT(network.begins, testing::ElementsAre(0));
  EXPECT_FALSE(figure.divergence);
}

TEST(Perplexity, StridesOverTheText) {
  Constant network({0.1, 0.4, 0.2, 0.3});
  NullSink sink;
  const PerplexityFigure figure =
      MeasurePerplexity(network, nullptr, Text(20), {.context = 8, .stride = 2},
                        sink)
          .value();
  EXPECT_EQ(figure.chunks, 7U);
  EXPECT_EQ(figure.tokens, 14U);  // each once, one of either token
  EXPECT_NEAR(figure.perplexity.mid,
              std::exp(-(std::log(0.4) + std::log(0.2)) / 2), 1e-5);
  EXPECT_EQ(MeasurePerplexity(network, nullptr, Text(20),
                              {.context = 8, .stride = 2, .chunks = 3}, sink)
                .value()
                .tokens,
            6U);
}

TEST(Perplexity, ComparesWithABase) {
  const std::vector<double> p = {0.1, 0.4, 0.2, 0.3};
  const std::vector<double> q = {0.25, 0.25, 0.2, 0.3};
  Constant base(p);
  Constant network(q);
  Phases phases;
  const PerplexityFigure figure =
      MeasurePerplexity(network, &base, Text(16), {.context = 8}, phases)
          .value();
  ASSERT_TRUE(figure.divergence);
  double kl = 0;
  for (size_t i = 0; i < p.size(); ++i) kl += p[i] * std::log(p[i] / q[i]);
  EXPECT_NEAR(figure.divergence->kl.mid, kl, 1e-6);
  EXPECT_NEAR(figure.divergence->kl.error, 0, 1e-6);
  EXPECT_EQ(figure.divergence->same_top.mid, 0);  // 1 against 3
  EXPECT_NEAR(figure.divergence->ratio.mid, std::pow(0.4 / 0.25, 1 / 3.0),
              1e-5);
  EXPECT_NEAR(
      figure.divergence->ratio.mid * figure.divergence->base_perplexity.mid,
      figure.perplexity.mid, 1e-5);
  EXPECT_THAT(phases.all,
              testing::ElementsAre(Phase::kPrepare, Phase::kPrefill,
                                   Phase::kPrepare, Phase::kPrefill));
  // Against itself nothing is lost.
  const Divergence none =
      *MeasurePerplexity(base, &base, Text(16), {.context = 8}, phases)
           .value()
           .divergence;
  EXPECT_NEAR(none.kl.mid, 0, 1e-12);
  EXPECT_EQ(none.ratio.mid, 1);
  EXPECT_EQ(none.same_top.mid, 1);
}

TEST(Perplexity, RefusesWhatItCannotScore) {
  Constant network({0.5, 0.5});
  Constant other({0.5, 0.25, 0.25});
  NullSink sink;
  const auto error = [&](NeuralModel* base, size_t tokens,
                         const PerplexityOptions& options) {
    const auto figure =
        MeasurePerplexity(network, base, TokenIds(tokens, 1), options, sink);
    return figure ? "" : figure.error().message;
  };
  EXPECT_EQ(error(nullptr, 15, {.context = 8}),
            "the text has 15 tokens; perplexity over 8 needs 16");
  EXPECT_EQ(error(nullptr, 999, {.context = 128}),
            "fake keeps 64 tokens, a chunk has 128");
  EXPECT_EQ(error(nullptr, 99, {.context = 8, .stride = 8}),
            "a stride of 8 leaves no context of 8");
  EXPECT_EQ(error(&other, 99, {.context = 8}),
            "fake knows 3 tokens, fake 2: they cannot be compared");
}

}  // namespace
}  // namespace modicum
