// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "model/gguf/gguf_sample.h"
#include "model/network_file.h"
#include "shrink/passes.h"
#include "shrink/test_passes.h"

namespace modicum {
namespace {

// A model of family prompt whose network's large tensors have `type`.
class OnNetwork {
 public:
  explicit OnNetwork(GgmlType type) {
    GgufSample sample;
    for (GgufTensor& tensor : sample.tensors)
      if (tensor.dimensions > 1) tensor.type = type;
    for (GgufTensor& tensor : sample.tensors) tensor.shape[0] = 32;
    sample["llama.embedding_length"] = uint32_t{32};
    MODICUM_CHECK(
        WriteFileAtomically(folder_.path() + "/model.gguf", sample.File())
            .has_value());
    MODICUM_CHECK(
        WriteFileAtomically(folder_.path() + "/prompt.json", "{}").has_value());
  }
  PassInput input() const {
    return {data_, rows_,          "prompt",
            {},    folder_.path(), {"prompt.json", "model.gguf"}};
  }

 private:
  const Dataset data_;
  const std::vector<uint32_t> rows_;
  const TestFolder folder_;
};

TEST(Precision, OffersWhatIsSmallerMildestFirst) {
  const OnNetwork full(GgmlType::kF32);
  ASSERT_TRUE(PrecisionPass().Accepts(full.input()));
  EXPECT_EQ(PrecisionPass().Space(full.input()).size(), 3U);
  const OnNetwork half(GgmlType::kF16);
  ASSERT_TRUE(PrecisionPass().Accepts(half.input()));
  const auto space = PrecisionPass().Space(half.input());
  ASSERT_EQ(space.size(), 2U);
  EXPECT_EQ(Get(space[0], "type", std::string()), "q8_0");
}

TEST(Precision, SaysWhyNot) {
  const OnNetwork quantized(GgmlType::kQ8_0);
  const Status accepted = PrecisionPass().Accepts(quantized.input());
  ASSERT_FALSE(accepted);
  EXPECT_EQ(accepted.error().message,
            "the network's weights have fewer than 16 bits already");
  PassInput linear = quantized.input();
  linear.family = "linear";
  EXPECT_EQ(PrecisionPass().Accepts(linear).error().message,
            "precision is of networks, and linear has none");
  PassInput nothing = quantized.input();
  nothing.directory.clear();
  EXPECT_FALSE(PrecisionPass().Accepts(nothing));
}

TEST(Precision, MakesASmallerNetworkAndKeepsTheRest) {
  if (const auto engine = FindNeuralEngine(); !engine)
    GTEST_SKIP() << engine.error().message;
  const OnNetwork full(GgmlType::kF32);
  const TestFolder to;
  const auto passed = ApplyInto(PrecisionPass(), full.input(),
                                {{"type", std::string("q8_0")}}, to.path());
  ASSERT_TRUE(passed) << passed.error().message;
  const auto before = FilesIn(full.input().directory);
  const auto after = FilesIn(to.path());
  EXPECT_EQ(after.at("prompt.json"), before.at("prompt.json"));
  EXPECT_LT(after.at("model.gguf").size(), before.at("model.gguf").size());
  EXPECT_TRUE(ReadGguf(to.path() + "/model.gguf"));
}

TEST(Precision, AnUnknownTypeLeavesNothing) {
  if (const auto engine = FindNeuralEngine(); !engine)
    GTEST_SKIP() << engine.error().message;
  const OnNetwork full(GgmlType::kF32);
  const TestFolder to;
  const auto passed = ApplyInto(PrecisionPass(), full.input(),
                                {{"type", std::string("q99")}}, to.path());
  ASSERT_FALSE(passed);
  EXPECT_FALSE(FilesIn(to.path()).contains("model.gguf"));
}

}  // namespace
}  // namespace modicum
