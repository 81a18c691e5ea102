// SPDX-License-Identifier: Apache-2.0
#include "tune/mixed_precision.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/fake_clock.h"
#include "meter/fake_meter.h"
#include "model/fake_network.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

GgufTensor Matrix(const std::string& name, uint64_t rows, uint64_t columns) {
  GgufTensor tensor;
  tensor.name = name;
  tensor.type = GgmlType::kF16;
  tensor.dimensions = 2;
  tensor.shape = {rows, columns, 1, 1};
  return tensor;
}

// Two layers, an embedding that is looked up in, an output.
GgufFile Network() {
  GgufFile file;
  file.name = "network.gguf";
  file.tensors = {Matrix("token_embd.weight", 256, 100),
                  Matrix("blk.0.attn_q.weight", 256, 256),
                  Matrix("blk.0.ffn_down.weight", 1024, 256),
                  Matrix("blk.1.attn_q.weight", 256, 256),
                  Matrix("blk.1.ffn_down.weight", 1024, 256),
                  Matrix("output.weight", 256, 100)};
  GgufTensor norm;
  norm.name = "blk.0.attn_norm.weight";
  norm.shape = {256, 1, 1, 1};
  file.tensors.push_back(norm);
  return file;
}

// Its predictions are `damage` nats or so from the base's; a token takes
// `price` ms.
class Rounded final : public FakeNetwork {
 public:
  Rounded(FakeClock& clock, double damage, double price)
      : clock_(clock), damage_(damage), price_(price) {
    info_.context = 64;
    info_.vocabulary = 3;
    info_.bytes = Bytes(1000 * price);
    info_.beginning = 1;
  }
  Status Logits(
      std::span<const TokenId> tokens, size_t from, const CallOptions&,
      const std::function<void(size_t, std::span<const float>)>& visit,
      PhaseSink&) override {
    const auto moved = static_cast<float>(1 + std::sqrt(8 * damage_));
    const std::vector<float> logits = {2, moved, 0};
    for (size_t i = from; i < tokens.size(); ++i) visit(i, logits);
    return {};
  }
  Result<Generation> Generate(std::span<const TokenId> prompt,
                              const GenerateOptions& options,
                              const std::function<bool(std::string_view)>&,
                              PhaseSink& sink) override {
    Take(prompt.size(), Phase::kPrefill, sink);
    Take(options.max_tokens, Phase::kDecode, sink);
    return Generation{{}, "", Generation::End::kLength};
  }

 private:
  void Take(size_t tokens, Phase phase, PhaseSink& sink) {
    sink.Begin(phase);
    clock_.Tick(Milliseconds(price_ * static_cast<double>(tokens)));
    const SeqWork work{RequestId{}, static_cast<uint32_t>(tokens), 0, 0};
    sink.Step(phase, {&work, 1});
  }
  FakeClock& clock_;
  const double damage_, price_;
};

// Remembers what the last file was made of.
class FakeEngine final : public NeuralEngine {
 public:
  void SetGuard(NetworkGuard) override {}
  [[noreturn]] void TryAndEnd(std::span<const std::string>) override {
    std::abort();
  }
  Status CheckEncoderBase(const std::string&) override { return {}; }
  Status TrainHead(const HeadJob&, PhaseSink&) override { return {}; }
  std::string_view name() const override { return "fake"; }
  std::string_view version() const override { return "1"; }
  Result<std::unique_ptr<NeuralModel>> Open(const std::string&,
                                            const NeuralSettings&,
                                            const std::function<void(double)>&,
                                            const CallOptions&,
                                            PhaseSink&) override {
    return Fail(ErrorCode::kUnavailable, "not here");
  }
  Result<std::unique_ptr<HeadedEncoder>> OpenHeaded(const std::string&,
                                                    const NeuralSettings&,
                                                    const CallOptions&,
                                                    PhaseSink&) override {
    return Fail(ErrorCode::kUnavailable, "not here");
  }
  Status Quantize(const std::string&, const std::string& to,
                  const QuantizeOptions& options) override {
    ++quantized;
    if (quantized == fail_at) return Fail(ErrorCode::kIo, "the disk is full");
    std::ofstream(to) << "a file";
    types.clear();
    for (const auto& [pattern, type] : options.tensor_types)
      types.push_back(type);
    return {};
  }
  std::vector<std::string> types;  // of each group, then of the rest
  int quantized = 0;
  int fail_at = -1;
};

class MixedPrecisionTest : public testing::Test {
 protected:
  ~MixedPrecisionTest() override { std::filesystem::remove(scratch_); }

  // Of groups token_embd, attn_q, ffn_down, output.
  std::unique_ptr<NeuralModel> OpenLast() {
    double damage = 0;
    double price = 0;
    const std::vector<double> sensitive = {0.01, 0.001, 0.002, 1};
    const std::vector<double> weights = {0, 0.2, 0.7, 0.1};
    for (size_t i = 0; i < 4; ++i) {
      const double bits = bits_.at(engine_.types[i]);
      damage += bits == 16 ? 0 : sensitive[i] * std::exp2(-bits);
      price += weights[i] * prices_.at(engine_.types[i]);
    }
    return std::make_unique<Rounded>(clock_, interaction_ * damage, price);
  }

  Result<MixedPrecision> Choose(double bound) {
    Rounded base(clock_, 0, 1);
    PerplexityOptions perplexity;
    perplexity.context = 64;
    const MixedPrecisionParts parts{
        engine_,
        file_,
        base,
        [this](const std::string&) -> Result<std::unique_ptr<NeuralModel>> {
          return OpenLast();
        },
        scratch_,
        text_,
        perplexity,
        bound,
        256,
        64,
        quantize_,
        meter_,
        costs_,
        {}};
    return ChooseMixedPrecision(parts);
  }

  struct Ignore final : PhaseSink {
    void Begin(Phase) override {}
    void Step(Phase, std::span<const SeqWork>) override {}
  };

  FakeClock clock_;
  FakeMeter meter_{clock_};
  FakeEngine engine_;
  GgufFile file_ = Network();
  QuantizeOptions quantize_;
  std::stop_source stop_;
  Ignore costs_;
  const TokenIds text_ = TokenIds(256, 2);
  const std::string scratch_ = testing::TempDir() + "/mixed_precision." +
                               std::to_string(getpid()) + ".trial";
  double interaction_ = 1;  // of the groups' damages
  std::map<std::string, double> bits_ = {{"f16", 16}, {"q8_0", 8}, {"q6_K", 6},
                                         {"q5_K", 5}, {"q4_K", 4}, {"q3_K", 3}};
  std::map<std::string, double> prices_ = {{"f16", 1},     {"q8_0", 0.6},
                                           {"q6_K", 0.5},  {"q5_K", 0.45},
                                           {"q4_K", 0.35}, {"q3_K", 0.4}};
};

TEST(TensorGroupsTest, AreOneForEachRole) {
  const auto groups = TensorGroups(Network());
  ASSERT_EQ(groups.size(), 4U);
  EXPECT_EQ(groups[1].name, "attn_q");
  EXPECT_EQ(groups[1].pattern, "^blk\\.[0-9]+\\.attn_q\\.weight$");
  EXPECT_EQ(groups[1].weights, 2U * 256 * 256);
  EXPECT_EQ(groups[1].type, "f16");
  EXPECT_FALSE(groups[0].multiplied);
  EXPECT_EQ(groups[3].pattern, "^output\\.weight$");
}

TEST(TensorGroupsTest, ATiedEmbeddingIsMultipliedWith) {
  GgufFile file = Network();
  std::erase_if(file.tensors, [](const GgufTensor& tensor) {
    return tensor.name == "output.weight";
  });
  EXPECT_TRUE(TensorGroups(file)[0].multiplied);
}

TEST(TypesToTryTest, AreTheOlderOnesWhereRowsAreNoSuperBlocks) {
  GgufFile file = Network();
  EXPECT_EQ(TypesToTry(file, false).back(), "q3_K");
  EXPECT_EQ(TypesToTry(file, true).back(), "q2_K");
  file.tensors[1].shape[0] = 64;
  EXPECT_THAT(TypesToTry(file, true), ElementsAre("q8_0", "q5_0", "q4_0"));
}

TEST_F(MixedPrecisionTest, SensitiveTensorsKeepBitsAndTheRestLosesThem) {
  const auto chosen = Choose(0.004);
  ASSERT_TRUE(chosen) << chosen.error().message;
  EXPECT_THAT(chosen->types, ElementsAre("q4_K", "q4_K", "q4_K", "q8_0"));
  EXPECT_LE(chosen->divergence.mid, 0.004);
  EXPECT_NEAR(chosen->predicted_cost, 0.38, 0.03);
  EXPECT_TRUE(chosen->changes());
  EXPECT_FALSE(std::filesystem::exists(scratch_));
}

// q3_K has fewer bits than q4_K and costs more here: it is not for joules.
TEST_F(MixedPrecisionTest, FewerBitsThatCostMoreAreLeft) {
  const auto chosen = Choose(5);
  ASSERT_TRUE(chosen);
  EXPECT_THAT(chosen->types, ElementsAre("q3_K", "q4_K", "q4_K", "q4_K"));
}

TEST_F(MixedPrecisionTest, WhatIsNotCheaperStaysAsItIs) {
  for (auto& [type, price] : prices_)
    if (type != "f16") price = 1.5;
  engine_.quantized = 0;
  const auto chosen = Choose(0.01);
  ASSERT_TRUE(chosen);
  // But for the table that is looked up in, which saves bytes for nothing.
  EXPECT_THAT(chosen->types, ElementsAre("q3_K", "f16", "f16", "f16"));
}

// Of several groups rounded at once, more than the sum.
TEST_F(MixedPrecisionTest, AChoiceThatMissesTheBoundIsTightened) {
  const auto plain = Choose(0.004);
  interaction_ = 1;
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->rounds, 1);
  const auto tight = Choose(0.0005);
  ASSERT_TRUE(tight);
  EXPECT_LE(tight->divergence.mid, 0.0005);
  EXPECT_GE(tight->predicted_cost, plain->predicted_cost);
}

TEST_F(MixedPrecisionTest, QuantizedFilesAreRefused) {
  file_.tensors[2].type = GgmlType::kQ8_0;
  const auto chosen = Choose(0.01);
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().message, "ffn_down of network.gguf is q8_0 already");
}

TEST_F(MixedPrecisionTest, AFullDiskLeavesNothingBehind) {
  engine_.fail_at = 4;
  const auto chosen = Choose(0.01);
  ASSERT_FALSE(chosen);
  EXPECT_THAT(chosen.error().message, HasSubstr("disk is full"));
  EXPECT_FALSE(std::filesystem::exists(scratch_));
}

TEST_F(MixedPrecisionTest, CanBeInterrupted) {
  stop_.request_stop();
  quantize_.stop = stop_.get_token();
  const auto chosen = Choose(0.01);
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().code, ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace modicum
