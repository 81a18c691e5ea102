// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/gguf_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "base/rng.h"
#include "model/gguf/gguf_sample.h"
#include "model/gguf/gguf_weights.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string MessageOf(const Result<GgufFile>& file) {
  return file ? "accepted" : file.error().message;
}
std::string Refusal(std::string_view bytes,
                    GgufCheck check = GgufCheck::kStructure) {
  return MessageOf(ParseGguf(bytes, bytes.size(), "m.gguf", check));
}
std::string ModelRefusal(GgufSample sample) {
  return Refusal(sample.File(), GgufCheck::kModel);
}

template <class T>
std::string With(std::string bytes, size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof(T));
  return bytes;
}
// Where `text` begins in a header.
size_t At(std::string_view bytes, std::string_view text) {
  const size_t at = bytes.find(text);
  MODICUM_CHECK(at != std::string_view::npos);
  return at;
}

TEST(GgufFileTest, ReadsASoundFile) {
  GgufSample sample;
  const std::string bytes = sample.File();
  const auto file = ParseGguf(bytes, bytes.size(), "m.gguf");
  ASSERT_TRUE(file.has_value()) << file.error().message;
  EXPECT_EQ(file->version, 3U);
  EXPECT_EQ(file->alignment, 32U);
  EXPECT_EQ(file->data_offset % 32, 0U);
  EXPECT_EQ(file->architecture(), "llama");
  EXPECT_EQ(file->Unsigned("llama.block_count"), 2U);
  EXPECT_FLOAT_EQ(static_cast<float>(
                      *file->Number("llama.attention.layer_norm_rms_epsilon")),
                  1e-5F);
  EXPECT_EQ(file->Array("tokenizer.ggml.tokens")->texts[2], "</s>");
  EXPECT_EQ(file->metadata, sample.metadata);
  EXPECT_EQ(file->tensors, sample.tensors);
  EXPECT_EQ(file->parameters(), 260U * 8 * 2 + 8);
  EXPECT_EQ(file->bytes().value(), 260.0 * 8 * 6 + 32);
  EXPECT_EQ(file->Find("none"), nullptr);
  EXPECT_EQ(file->FindTensor("none"), nullptr);
  EXPECT_EQ(file->Unsigned("general.architecture"), std::nullopt);
  EXPECT_EQ(file->Text("llama.block_count"), std::nullopt);
}

TEST(GgufFileTest, NamesWhatIsNoGguf) {
  const auto hint = [](std::string_view bytes) {
    const auto file = ParseGguf(bytes, bytes.size(), "m.gguf");
    EXPECT_EQ(MessageOf(file),
              "m.gguf: not a GGUF file: its first bytes are "
              "not 'GGUF'");
    return file.error().hint;
  };
  EXPECT_EQ(Refusal(""), "m.gguf: the file is empty");
  EXPECT_THAT(hint("GG"), StartsWith("name a GGUF file"));
  EXPECT_THAT(hint("version https://git-lfs.github.com/spec/v1"),
              StartsWith("this is a Git LFS pointer"));
  EXPECT_THAT(hint("<!doctype html>"), StartsWith("this is a web page"));
  EXPECT_THAT(hint("PK\3\4"), StartsWith("this is a PyTorch"));
  EXPECT_THAT(hint("lmgg\1"), StartsWith("this is the format before GGUF"));
  EXPECT_THAT(hint(std::string("\x10\0\0\0\0\0\0\0{\"a\":1}", 15)),
              StartsWith("this is a safetensors file"));
}

TEST(GgufFileTest, RefusesOtherVersionsAndByteOrders) {
  const std::string bytes = GgufSample().File();
  EXPECT_EQ(Refusal(With<uint32_t>(bytes, 4, 1)),
            "m.gguf: GGUF version 1; 2 and 3 are read");
  EXPECT_EQ(Refusal(With<uint32_t>(bytes, 4, 4)),
            "m.gguf: GGUF version 4; 2 and 3 are read");
  EXPECT_EQ(Refusal(With<uint32_t>(bytes, 4, 0x03000000)),
            "m.gguf: a big-endian GGUF file, little-endian ones are read");
  EXPECT_EQ(Refusal(With<uint32_t>(bytes, 4, 2)), "accepted");
}

TEST(GgufFileTest, BelievesNoCountThatTheFileCannotHold) {
  const std::string bytes = GgufSample().File();
  EXPECT_THAT(Refusal(With<uint64_t>(bytes, 8, uint64_t{1} << 60)),
              StartsWith("m.gguf: the header says 1,152,921,504,606,846,976 "
                         "tensors, the file has room for "));
  EXPECT_THAT(Refusal(With<uint64_t>(bytes, 16, uint64_t{1} << 60)),
              HasSubstr(" metadata keys, the file has room for "));
  std::string long_file = bytes;
  long_file.resize(100000 * 40);
  EXPECT_EQ(Refusal(With<uint64_t>(long_file, 8, 100000)),
            "m.gguf: 100,000 tensors, at most 65,536 are taken");
  EXPECT_EQ(Refusal(With<uint64_t>(bytes, 24, uint64_t{1} << 40)),
            "m.gguf: key 1: a string of 1,099,511,627,776 bytes, at most "
            "16,777,216 are taken");
  EXPECT_THAT(Refusal(With<uint64_t>(bytes, 24, 100000)),
              StartsWith("m.gguf: key 1: a string of 100,000 bytes, "));
  const size_t tokens = At(bytes, "tokenizer.ggml.tokens") + 21;
  EXPECT_THAT(Refusal(With<uint64_t>(bytes, tokens + 8, uint64_t{1} << 61)),
              StartsWith("m.gguf: the value of 'tokenizer.ggml.tokens' is an "
                         "array of 2,305,843,009,213,693,952 elements, the "
                         "file has room for "));
}

TEST(GgufFileTest, RefusesKeysAndValues) {
  const std::string bytes = GgufSample().File();
  GgufSample twice;
  twice.metadata.push_back(twice.metadata[0]);
  EXPECT_EQ(Refusal(twice.File()),
            "m.gguf: key 'general.architecture' is there twice");
  EXPECT_EQ(Refusal(With(bytes, 24 + 8, '\x1b')),
            "m.gguf: key 1 is ' eneral.architecture': empty, or not printable "
            "text");
  const size_t count = At(bytes, "llama.block_count") + 17;
  EXPECT_EQ(Refusal(With<uint32_t>(bytes, count, 13)),
            "m.gguf: the value of 'llama.block_count' has the type 13; there "
            "are 0 to 12");
  const size_t tokens = At(bytes, "tokenizer.ggml.tokens") + 21;
  EXPECT_EQ(Refusal(With<uint32_t>(bytes, tokens + 4, 9)),
            "m.gguf: the value of 'tokenizer.ggml.tokens' is an array of "
            "arrays");
  EXPECT_EQ(Refusal(With<uint32_t>(bytes, tokens + 4, 77)),
            "m.gguf: the value of 'tokenizer.ggml.tokens' is an array of type "
            "77; there are 0 to 12");
  GgufSample flag;
  flag["flag"] = true;
  const std::string flagged = flag.File();
  EXPECT_EQ(Refusal(With(flagged, At(flagged, "flag") + 8, '\2')),
            "m.gguf: the value of 'flag' is a bool of 2, not 0 or 1");
  GgufSample flags;
  flags["flags"] = GgufArray{GgufType::kBool, 2, std::string("\1\3"), {}};
  EXPECT_EQ(Refusal(flags.File()),
            "m.gguf: the value of 'flags' has a bool that is not 0 or 1");
}

TEST(GgufFileTest, RefusesAlignments) {
  GgufSample sample;
  sample["general.alignment"] = uint32_t{32};
  const std::string bytes = sample.File();
  const size_t at = At(bytes, "general.alignment") + 17 + 4;
  for (const uint32_t alignment : {0U, 24U, 1U << 21})
    EXPECT_THAT(Refusal(With(bytes, at, alignment)),
                HasSubstr("not a power of two up to 1,048,576"));
  EXPECT_EQ(Refusal(With<uint32_t>(bytes, at - 4, 5)),
            "m.gguf: 'general.alignment' is of type i32, not u32");
}

TEST(GgufFileTest, RefusesTensors) {
  const std::string bytes = GgufSample().File();
  const size_t norm = At(bytes, "output_norm.weight") + 18;  // its dimensions
  EXPECT_EQ(Refusal(With<uint32_t>(bytes, norm, 5)),
            "m.gguf: tensor 'output_norm.weight' has 5 dimensions, 1 to 4 are "
            "taken");
  EXPECT_EQ(Refusal(With<uint32_t>(bytes, norm, 0)),
            "m.gguf: tensor 'output_norm.weight' has 0 dimensions, 1 to 4 are "
            "taken");
  EXPECT_EQ(Refusal(With<uint64_t>(bytes, norm + 4, 0)),
            "m.gguf: tensor 'output_norm.weight' has a dimension of 0");
  EXPECT_EQ(Refusal(With<uint64_t>(bytes, norm + 4, ~uint64_t{0})),
            "m.gguf: tensor 'output_norm.weight' has more than 2^63 elements");
  EXPECT_EQ(Refusal(With<uint64_t>(bytes, norm + 4, uint64_t{1} << 62)),
            "m.gguf: tensor 'output_norm.weight' takes more than 2^63 bytes");
  for (const uint32_t type : {4U, 31U, 43U, 1000U})
    EXPECT_THAT(Refusal(With(bytes, norm + 12, type)),
                HasSubstr("which is unknown or was removed from the format"));
  EXPECT_EQ(Refusal(With<uint32_t>(bytes, norm + 12, 2)),
            "m.gguf: tensor 'output_norm.weight' has rows of 8 elements, type "
            "q4_0 needs a multiple of 32");
  GgufSample twice;
  twice.tensors.push_back(twice.tensors[1]);
  EXPECT_EQ(Refusal(twice.File()),
            "m.gguf: tensor 'output_norm.weight' is there twice");
  EXPECT_EQ(Refusal(With(bytes, norm - 1, '\0')),
            "m.gguf: the name of tensor 2 is "
            "'output_norm.weigh\xEF\xBF\xBD': empty, or not printable text");
  std::string longer = bytes;
  longer.insert(norm, std::string(46, 'x'));
  EXPECT_THAT(Refusal(With<uint64_t>(longer, norm - 26, 64)),
              HasSubstr("has a name of 64 bytes, at most 63 are taken"));
}

TEST(GgufFileTest, RefusesOffsets) {
  const std::string bytes = GgufSample().File();
  const size_t norm = At(bytes, "output_norm.weight") + 18 + 16;
  const uint64_t sound = 260 * 8 * 4;
  EXPECT_EQ(Refusal(With<uint64_t>(bytes, norm, sound + 8)),
            "m.gguf: tensor 'output_norm.weight' has the offset 8,328, not a "
            "multiple of the alignment 32");
  EXPECT_EQ(Refusal(With<uint64_t>(bytes, norm, sound - 32)),
            "m.gguf: tensor 'output_norm.weight' overlaps or precedes tensor "
            "'token_embd.weight'");
  EXPECT_EQ(Refusal(With<uint64_t>(bytes, norm, sound + 32)),
            "m.gguf: tensor 'output_norm.weight' has the offset 8,352, 8,320 "
            "is where the data before it ends");
}

TEST(GgufFileTest, SaysHowManyBytesAreMissing) {
  GgufSample sample;
  const std::string bytes = sample.File();
  EXPECT_THAT(Refusal(bytes.substr(0, bytes.size() - 4161)),
              StartsWith("m.gguf: 4,161 bytes are missing, from tensor "
                         "'output_norm.weight' on: the file has "));
  EXPECT_THAT(Refusal(bytes.substr(0, bytes.size() - 1)),
              StartsWith("m.gguf: 1 bytes are missing, from tensor "
                         "'output.weight' on: the file has "));
}

TEST(GgufFileTest, RefusesEveryTruncation) {
  GgufSample sample;
  // Few bytes with one of everything.
  for (const char* key : {"tokens", "scores", "token_type"})
    sample.Remove(fmt::format("tokenizer.ggml.{}", key));
  sample["flag"] = true;
  sample["texts"] = GgufArray::Of(std::vector<std::string>{"a", "bc"});
  sample["numbers"] = GgufArray::Of(std::vector<float>{1, 2});
  for (GgufTensor& tensor : sample.tensors) tensor.shape[1] = 1;
  const std::string bytes = sample.File();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);  // its end is its own
    const auto file = ParseGguf(cut, size, "m.gguf", GgufCheck::kStructure);
    ASSERT_FALSE(file.has_value()) << size;
    ASSERT_EQ(file.error().code, ErrorCode::kInvalidInput) << size;
    ASSERT_FALSE(file.error().hint.empty()) << size;
  }
}

TEST(GgufFileTest, AHeadThatIsTooShortIsNoTruncatedFile) {
  const std::string bytes = GgufSample().File();
  EXPECT_EQ(MessageOf(ParseGguf(bytes.substr(0, 1000), bytes.size(), "m.gguf")),
            "m.gguf: the header is longer than 1.0 kB");
}

GgufValue RandomValue(Rng& rng) {
  switch (rng.Below(7)) {
    case 0:
      return static_cast<uint8_t>(rng.Below(256));
    case 1:
      return static_cast<int64_t>(rng.Next()) - (int64_t{1} << 31);
    case 2:
      return static_cast<float>(rng.Unit());
    case 3:
      return rng.Below(2) == 1;
    case 4:
      return std::string(rng.Below(40), static_cast<char>(rng.Below(256)));
    case 5:
      return GgufArray::Of(
          std::vector<int32_t>(rng.Below(9), static_cast<int32_t>(rng.Next())));
    default:
      return GgufArray::Of(
          std::vector<std::string>(rng.Below(9), "\xC3\xA4 token"));
  }
}

TEST(GgufFileTest, WhatIsWrittenIsRead) {
  Rng rng(7);
  for (int round = 0; round < 200; ++round) {
    GgufSample sample;
    sample.metadata.clear();
    sample.tensors.clear();
    for (uint32_t i = rng.Below(20); i > 0; --i)
      sample[fmt::format("key.{}", i)] = RandomValue(rng);
    for (uint32_t i = rng.Below(20); i > 0; --i) {
      const auto types = GgmlTypes();
      const GgmlTypeInfo& info =
          types[rng.Below(static_cast<uint32_t>(types.size()))];
      std::vector<uint64_t> shape = {info.block * (1 + rng.Below(3))};
      while (shape.size() < 1 + rng.Below(4)) shape.push_back(1 + rng.Below(5));
      sample.tensors.push_back(
          GgufSample::Tensor(fmt::format("t.{}", i), info.type, shape));
    }
    const std::string bytes = sample.File();
    const auto file =
        ParseGguf(bytes, bytes.size(), "m.gguf", GgufCheck::kStructure);
    ASSERT_TRUE(file.has_value()) << file.error().message;
    EXPECT_EQ(file->metadata, sample.metadata);
    EXPECT_EQ(file->tensors, sample.tensors);
  }
}

TEST(GgufFileTest, ReadsHeadersLongerThanTheFirstRead) {
  GgufSample sample;
  sample["padding"] = std::string(3U << 20, 'x');
  const std::string path = ::testing::TempDir() + "modicum-long.gguf";
  ASSERT_TRUE(WriteFileAtomically(path, sample.File()).has_value());
  const auto file = ReadGguf(path);
  std::filesystem::remove(path);
  ASSERT_TRUE(file.has_value()) << file.error().message;
  EXPECT_EQ(file->name, path);
  EXPECT_EQ(file->Text("padding")->size(), 3U << 20);
}

TEST(GgufFileTest, ReadSaysWhatIsWrong) {
  EXPECT_EQ(ReadGguf("/none.gguf").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(ReadGguf("/none.gguf").error().message,
            "cannot read /none.gguf: No such file or directory");
  EXPECT_EQ(ReadGguf("/tmp").error().message, "/tmp is a folder, not a file");
  EXPECT_EQ(ReadGguf("/dev/null").error().message,
            "/dev/null is not a regular file");
}

TEST(GgufFileTest, ReadsAPublishedModel) {
  const std::string path =
      MODICUM_SOURCE_DIR "/../shared/data/stories260K/stories260K.gguf";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  const auto file = ReadGguf(path);
  ASSERT_TRUE(file.has_value()) << file.error().message;
  EXPECT_EQ(file->architecture(), "llama");
  EXPECT_EQ(file->Unsigned("llama.block_count"), 5U);
  // Its output matrix is stored beside the embedding, of which it is a copy.
  EXPECT_EQ(file->parameters(), 260032U + 512 * 64);
  EXPECT_EQ(*CountParameters(*file), 260032U);
  EXPECT_TRUE(CheckWeights(*file).has_value());
}

// What is refused beyond the structure, key by key.
TEST(GgufModelTest, RefusesWhatIsNoModel) {
  EXPECT_EQ(ModelRefusal({}), "accepted");
  GgufSample part;
  part["split.no"] = uint16_t{1};
  part["split.count"] = uint16_t{4};
  EXPECT_EQ(ModelRefusal(part), "m.gguf: part 2 of 4 of a split model");
  GgufSample adapter;
  adapter["general.type"] = std::string("adapter");
  EXPECT_EQ(ModelRefusal(adapter), "m.gguf: it holds 'adapter', not a model");
  GgufSample unnamed;
  unnamed.Remove("general.architecture");
  EXPECT_EQ(ModelRefusal(unnamed),
            "m.gguf: 'general.architecture' is missing: which model it is");
  GgufSample odd;
  odd["general.architecture"] = std::string("../llama");
  EXPECT_EQ(ModelRefusal(odd),
            "m.gguf: 'general.architecture' is '../llama', no name of one");
  GgufSample empty;
  empty.tensors.clear();
  EXPECT_EQ(ModelRefusal(empty),
            "m.gguf: it has no tensors: a vocabulary alone");
}

struct BadKey {
  const char* key;
  GgufValue value;
  const char* message;
};

TEST(GgufModelTest, RefusesSizesThatCannotBe) {
  const GgufArray three = GgufArray::Of(std::vector<uint32_t>{4, 4, 4});
  const BadKey cases[] = {
      {"llama.context_length", uint32_t{0},
       "'llama.context_length' is 0, not 1 to 1,073,741,824"},
      {"llama.context_length", int32_t{64},
       "'llama.context_length' is of type i32, not u32"},
      {"llama.embedding_length", uint32_t{1} << 23,
       "'llama.embedding_length' is 8,388,608, not 1 to 4,194,304"},
      {"llama.block_count", uint32_t{513},
       "'llama.block_count' is 513, not 1 to 512"},
      {"llama.attention.head_count", uint32_t{0},
       "'llama.attention.head_count' is missing or 0"},
      {"llama.attention.head_count", uint32_t{3},
       "'llama.attention.head_count' is 3, no multiple of "
       "'llama.attention.head_count_kv', 2"},
      {"llama.attention.head_count", uint32_t{6},
       "'llama.attention.head_count' is 6, which does not divide the embedding "
       "length 8"},
      {"llama.attention.head_count", three,
       "'llama.attention.head_count' has 3 elements of type u32, not a number "
       "for each of 2 layers"},
      {"llama.attention.head_count", std::string("4"),
       "'llama.attention.head_count' is no number from 0 to 65,536"},
      {"llama.feed_forward_length", uint32_t{0},
       "'llama.feed_forward_length' is missing or 0"},
      {"llama.attention.key_length", uint32_t{0},
       "'llama.attention.key_length' is 0, not 1 to 4,194,304"},
      {"llama.attention.layer_norm_rms_epsilon", 2.0F,
       "'llama.attention.layer_norm_rms_epsilon' is 2, not 0 to 1"},
      {"llama.expert_count", uint32_t{2000},
       "'llama.expert_count' is 2,000, at most 1,024 are taken"},
      {"llama.expert_count", uint32_t{8},
       "'llama.expert_used_count' is 0 of 8 experts"},
      {"llama.expert_used_count", uint32_t{2},
       "'llama.expert_used_count' is 2 of 0 experts"},
      {"llama.expert_group_count", uint32_t{2},
       "0 experts in 2 groups, of which 0 are used, cannot be"},
      {"llama.rope.scaling.type", std::string("spiral"),
       "'llama.rope.scaling.type' is 'spiral'; there are none, linear, yarn "
       "and longrope"},
      {"llama.nextn_predict_layers", uint32_t{2},
       "'llama.nextn_predict_layers' is no number below the 2 layers"},
      {"llama.rope.dimension_count", uint32_t{3},
       "'llama.rope.dimension_count' is 3, no even number up to the 2 of a "
       "head"},
      {"llama.rope.dimension_count", uint32_t{4},
       "'llama.rope.dimension_count' is 4, no even number up to the 2 of a "
       "head"},
      {"llama.rope.dimension_count", uint32_t{0},
       "'llama.rope.dimension_count' is 0, no even number up to the 2 of a "
       "head"},
      {"llama.vocab_size", uint32_t{0xFFFFFFFF},
       "'llama.vocab_size' is 4,294,967,295, not 1 to 4,194,304"},
      {"llama.embedding_length_out", uint32_t{16},
       "'llama.embedding_length_out' is not the embedding length 8"},
      {"llama.pooling_type", uint32_t{5},
       "'llama.pooling_type' is no number from 0 to 4"},
      {"llama.rope.freq_base", -1.0F,
       "'llama.rope.freq_base' is -1, no positive number"},
  };
  for (const BadKey& bad : cases) {
    GgufSample sample;
    sample[bad.key] = bad.value;
    EXPECT_EQ(ModelRefusal(sample), std::string("m.gguf: ") + bad.message);
  }
  for (const char* key :
       {"llama.context_length", "llama.embedding_length", "llama.block_count",
        "llama.attention.layer_norm_rms_epsilon"}) {
    GgufSample sample;
    sample.Remove(key);
    EXPECT_THAT(ModelRefusal(sample),
                StartsWith(fmt::format("m.gguf: '{}' is missing", key)));
  }
}

TEST(GgufModelTest, AnUnknownArchitectureIsNamedWhereItsSizesAreMissing) {
  GgufSample sample;
  sample["general.architecture"] = std::string("foo");
  EXPECT_EQ(ModelRefusal(sample),
            "m.gguf: 'foo.context_length' is missing; 'general.architecture' "
            "is 'foo'");
}

TEST(GgufModelTest, AVocabularyOfPiecesNeedsScores) {
  GgufSample sample;
  sample.Remove("tokenizer.ggml.scores");
  EXPECT_EQ(ModelRefusal(sample),
            "m.gguf: a vocabulary without scores: 'tokenizer.ggml.scores' is "
            "missing");
}

TEST(GgufModelTest, RefusesVocabularies) {
  const GgufArray texts = GgufArray::Of(std::vector<std::string>{"a", "b"});
  const BadKey cases[] = {
      {"tokenizer.ggml.model", std::string("magic"),
       "'tokenizer.ggml.model' is 'magic', which is unknown"},
      {"tokenizer.ggml.model", std::string("gpt2"),
       "a vocabulary without merges: 'tokenizer.ggml.merges' is missing, empty "
       "or no array of strings"},
      {"tokenizer.ggml.tokens", uint32_t{1},
       "'tokenizer.ggml.tokens' is missing, empty or no array of strings"},
      {"tokenizer.ggml.tokens", texts,
       "'tokenizer.ggml.scores' has 260 elements, the vocabulary 2 tokens"},
      {"tokenizer.ggml.scores", texts,
       "'tokenizer.ggml.scores' is no array of f32 or i32"},
      {"tokenizer.ggml.scores",
       GgufArray::Of(std::vector<float>(260, std::nanf(""))),
       "'tokenizer.ggml.scores' of token 0 is no number"},
      {"tokenizer.ggml.token_type", GgufArray::Of(std::vector<float>(260)),
       "'tokenizer.ggml.token_type' is no array of i32"},
      {"tokenizer.ggml.token_type", GgufArray::Of(std::vector<int32_t>(3)),
       "'tokenizer.ggml.token_type' has 3 elements, the vocabulary 260 tokens"},
      {"tokenizer.ggml.token_type", GgufArray::Of(std::vector<int32_t>(260, 6)),
       "token 0, '<unk>', is typed as a byte and is none"},
      {"tokenizer.ggml.token_type",
       GgufArray::Of(std::vector<int32_t>(260, 77)),
       "'tokenizer.ggml.token_type' of token 0 is 77, not 0 to 6"},
      {"tokenizer.ggml.bos_token_id", uint32_t{260},
       "'tokenizer.ggml.bos_token_id' is 260, the vocabulary has 260 tokens"},
      {"tokenizer.ggml.eos_token_id", std::string("2"),
       "'tokenizer.ggml.eos_token_id' is no token's number"},
  };
  for (const BadKey& bad : cases) {
    GgufSample sample;
    sample[bad.key] = bad.value;
    EXPECT_EQ(ModelRefusal(sample), std::string("m.gguf: ") + bad.message);
  }
  GgufSample none;
  none.Remove("tokenizer.ggml.model");
  EXPECT_EQ(ModelRefusal(none),
            "m.gguf: 'tokenizer.ggml.model' is missing: it has no vocabulary");
  GgufSample no_padding;
  no_padding["tokenizer.ggml.padding_token_id"] = uint32_t{0xFFFFFFFF};
  EXPECT_EQ(ModelRefusal(no_padding), "accepted");
}

TEST(GgufModelTest, RefusesTokensThatEndTheProcessLater) {
  GgufSample twice;
  std::get<GgufArray>(twice["tokenizer.ggml.tokens"]).texts[259] = "<s>";
  EXPECT_EQ(ModelRefusal(twice),
            "m.gguf: token '<s>' is in the vocabulary twice, the second time "
            "with the id 259");
  GgufSample no_byte;
  std::get<GgufArray>(no_byte["tokenizer.ggml.tokens"]).texts[3 + 200] = "x";
  EXPECT_EQ(ModelRefusal(no_byte),
            "m.gguf: no token for the byte 0xC8 ('<0xC8>')");
  GgufSample merges;
  merges["tokenizer.ggml.model"] = std::string("gpt2");
  merges["tokenizer.ggml.merges"] =
      GgufArray::Of(std::vector<std::string>{"a b", "ab"});
  EXPECT_EQ(ModelRefusal(merges), "m.gguf: merge 1 is 'ab', not two parts");
  GgufSample pieces;
  pieces["tokenizer.ggml.model"] = std::string("bert");
  EXPECT_EQ(ModelRefusal(pieces), "accepted");  // 100 to 102 are there
  const auto shorten = [](GgufSample& sample) {
    auto& tokens = std::get<GgufArray>(sample["tokenizer.ggml.tokens"]);
    tokens.texts.resize(50);
    tokens.size = 50;
    sample.Remove("tokenizer.ggml.scores");
    sample.Remove("tokenizer.ggml.token_type");
    sample.tensors[0].shape[1] = 50;
  };
  shorten(pieces);
  EXPECT_EQ(ModelRefusal(pieces),
            "m.gguf: 'tokenizer.ggml.bos_token_id' is missing, and bert "
            "tokenizers need it");
  pieces["tokenizer.ggml.bos_token_id"] = uint32_t{1};
  EXPECT_EQ(ModelRefusal(pieces),
            "m.gguf: 'tokenizer.ggml.unknown_token_id' is missing, and bert "
            "tokenizers need it");
}

TEST(GgufModelTest, RefusesHeadsThatAreNotThoseOfTheMatrices) {
  GgufSample sample;
  const auto add = [&](const char* name, uint64_t rows) {
    sample.tensors.push_back(GgufSample::Tensor(
        fmt::format("blk.1.{}.weight", name), GgmlType::kF32, {8, rows}));
  };
  add("attn_q", 8);
  add("attn_k", 4);
  add("attn_v", 4);
  EXPECT_EQ(ModelRefusal(sample), "accepted");
  sample["llama.attention.value_length"] = uint32_t{4};
  EXPECT_EQ(ModelRefusal(sample),
            "m.gguf: tensor 'blk.1.attn_v.weight' has 4 rows, by the metadata "
            "its heads have 8");
  sample["llama.attention.key_length"] = uint32_t{4};
  EXPECT_EQ(ModelRefusal(sample),
            "m.gguf: tensor 'blk.1.attn_q.weight' has 8 rows, by the metadata "
            "its heads have 16");
  GgufSample fused;
  fused.tensors.push_back(
      GgufSample::Tensor("blk.0.attn_qkv.weight", GgmlType::kF32, {8, 15}));
  EXPECT_EQ(ModelRefusal(fused),
            "m.gguf: tensor 'blk.0.attn_qkv.weight' has 15 rows, by the "
            "metadata its heads have 16");
}

TEST(GgufModelTest, RefusesAnEmbeddingThatDoesNotFit) {
  GgufSample wide;
  wide.tensors[0].shape[0] = 16;
  EXPECT_EQ(ModelRefusal(wide),
            "m.gguf: tensor 'token_embd.weight' has 16 columns, "
            "'llama.embedding_length' says 8");
  GgufSample tall;
  tall.tensors[0].shape[1] = 261;
  EXPECT_EQ(ModelRefusal(tall),
            "m.gguf: tensor 'token_embd.weight' has 261 rows, the vocabulary "
            "260 tokens");
}

}  // namespace
}  // namespace modicum
