// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/gguf_memory.h"

#include <gtest/gtest.h>

#include "model/gguf/gguf_sample.h"

namespace modicum {
namespace {

GgufFile Parsed(GgufSample sample) {
  const std::string bytes = sample.File();
  auto file = ParseGguf(bytes, bytes.size(), "m.gguf");
  MODICUM_CHECK(file.has_value());
  return *std::move(file);
}

// Llama 3.1 8B: 32 layers, 8 key-value heads of 128 numbers. 128 KiB a token
// at f16, as its paper's and every server's tables have it.
GgufFile LlamaOfEight() {
  GgufFile file;
  file.name = "llama.gguf";
  file.metadata = {
      {"general.architecture", std::string("llama")},
      {"llama.context_length", uint32_t{131072}},
      {"llama.embedding_length", uint32_t{4096}},
      {"llama.block_count", uint32_t{32}},
      {"llama.attention.head_count", uint32_t{32}},
      {"llama.attention.head_count_kv", uint32_t{8}},
  };
  GgufTensor weights =
      GgufSample::Tensor("w", GgmlType::kF16, {4096, 8030261248 / 4096});
  weights.bytes = *BytesOf(weights.type, weights.elements());
  file.tensors = {weights};
  return file;
}

TEST(GgufMemoryTest, MatchesThePublishedSizeOfACache) {
  const GgufFile file = LlamaOfEight();
  EXPECT_EQ(KeyValueMemory(file, {8192}).value(), 8192.0 * 131072);
  EXPECT_EQ(KeyValueMemory(file).value(), 131072.0 * 131072);
  EXPECT_EQ(
      KeyValueMemory(file, {8192, GgmlType::kQ8_0, GgmlType::kQ8_0}).value(),
      8192.0 * 131072 * 34 / 64);
  EXPECT_EQ(KeyValueMemory(file, {8192, GgmlType::kF32}).value(),
            8192.0 * 131072 * 1.5);
  EXPECT_EQ(NeededMemory(file, {8192}).value(),
            8192.0 * 131072 + 2 * 8030261248.0);
}

TEST(GgufMemoryTest, RoundsTheContextUp) {
  const GgufFile file = Parsed({});
  // Two layers, two heads of two numbers, keys and values, two bytes each.
  EXPECT_EQ(KeyValueMemory(file, {1}).value(), 256.0 * 2 * 2 * 2 * 2 * 2);
  EXPECT_EQ(KeyValueMemory(file, {257}).value(), 512.0 * 32);
}

TEST(GgufMemoryTest, TakesHeadsAndLengthsOfEachLayer) {
  GgufSample sample;
  sample["llama.attention.head_count_kv"] =
      GgufArray::Of(std::vector<uint32_t>{4, 1});
  sample["llama.attention.key_length"] = uint32_t{10};
  sample["llama.attention.value_length"] = uint32_t{6};
  EXPECT_EQ(KeyValueMemory(Parsed(sample), {256}).value(),
            256.0 * (4 + 1) * (10 + 6) * 2);
}

TEST(GgufMemoryTest, EncodersHaveNoCache) {
  GgufFile file = LlamaOfEight();
  file.metadata.emplace_back("llama.attention.causal", false);
  EXPECT_EQ(KeyValueMemory(file, {8192}).value(), 0);
}

TEST(GgufMemoryTest, SaysWhatIsMissingAndWhatWouldFit) {
  const GgufFile file = LlamaOfEight();
  EXPECT_TRUE(CheckMemory(file, {8192}, Bytes(18e9)).has_value());
  const Status shorter = CheckMemory(file, {}, Bytes(18e9));
  ASSERT_FALSE(shorter.has_value());
  EXPECT_EQ(shorter.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(shorter.error().message,
            "llama.gguf needs 33 GB (16 GB weights, 17 GB for a context of "
            "131,072 tokens), 18 GB are free: 15 GB too little");
  EXPECT_EQ(shorter.error().hint, "a context of 14,592 tokens fits");
  EXPECT_TRUE(CheckMemory(file, {14592}, Bytes(18e9)).has_value());
  EXPECT_FALSE(CheckMemory(file, {14593}, Bytes(18e9)).has_value());
  // 8 GB less 1.07 GB of cache are 6.9 bits a weight.
  EXPECT_EQ(CheckMemory(file, {8192}, Bytes(8e9)).error().hint,
            "the model quantized to q6_k, about 6.57 bits a weight, fits with "
            "that context");
  EXPECT_EQ(CheckMemory(file, {8192}, Bytes(1e9)).error().hint,
            "no quantization of this model fits with that context: take a "
            "shorter one, a smaller model or more memory");
}

TEST(GgufTypesTest, BlocksAndFileTypesAreThoseOfTheFormat) {
  EXPECT_EQ(GgmlTypes().size(), 35U);
  EXPECT_DOUBLE_EQ(InfoOf(GgmlType::kQ4K).BitsPerWeight(), 4.5);
  EXPECT_DOUBLE_EQ(InfoOf(GgmlType::kQ6K).BitsPerWeight(), 6.5625);
  EXPECT_EQ(FindGgmlType("q4_k")->type, GgmlType::kQ4K);
  EXPECT_EQ(FindGgmlType("q4_2"), nullptr);
  EXPECT_EQ(FindGgmlType(4), nullptr);
  EXPECT_EQ(BytesOf(GgmlType::kQ8_0, 64), 68U);
  EXPECT_EQ(BytesOf(GgmlType::kQ8_0, 65), std::nullopt);
  EXPECT_EQ(BytesOf(GgmlType::kF64, ~uint64_t{0}), std::nullopt);
  EXPECT_EQ(FindFileType("Q4_K_M")->id, 15U);
  EXPECT_EQ(FindFileType("q4_k")->id, 15U);
  EXPECT_EQ(FindFileType(7)->name, "q8_0");
  EXPECT_EQ(FindFileType("q4_2"), nullptr);
  double before = 0;
  for (const GgufFileType& type : GgufFileTypes()) {
    EXPECT_GE(type.bits_per_weight, before) << type.name;
    before = type.bits_per_weight;
  }
}

}  // namespace
}  // namespace modicum
