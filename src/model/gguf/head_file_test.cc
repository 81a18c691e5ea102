// SPDX-License-Identifier: Apache-2.0
// Heads that are sound, and each way in which one can be odd.
#include "model/gguf/head_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/gguf/gguf_sample.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;

// A body of eight numbers a token and 260 tokens, of which only what a head
// is checked against is there.
GgufFile Body() {
  GgufFile body;
  body.name = "body.gguf";
  body.metadata = {{"general.architecture", std::string("bert")},
                   {"bert.embedding_length", uint32_t{8}}};
  body.tensors = {
      GgufSample::Tensor("token_embd.weight", GgmlType::kF32, {8, 260})};
  return body;
}

// The header of a head, to be damaged.
struct SampleHead : GgufSample {
  explicit SampleHead(HeadKind kind, std::vector<std::string> labels = {}) {
    metadata = DescribeHead(kind, labels, Hash{});
    tensors.clear();
    for (const HeadTensor& tensor :
         HeadTensors({kind, 8, 260, labels.size(), true})) {
      std::vector<uint64_t> shape = {tensor.columns};
      if (tensor.rows > 0) shape.push_back(tensor.rows);
      tensors.push_back(Tensor(tensor.name, GgmlType::kF32, shape));
    }
  }
  Result<HeadFile> Parse() {
    const std::string bytes = File();
    MODICUM_TRY(GgufFile file, ParseGguf(bytes, bytes.size(), "body.head.gguf",
                                         GgufCheck::kStructure));
    return ParseHead(std::move(file));
  }
  std::string Fault() {
    const auto head = Parse();
    if (!head) return head.error().message;
    const Status fits = CheckHeadFits(*head, Body());
    return fits ? "" : fits.error().message;
  }
};

TEST(HeadPathOf, StandsBesideTheBody) {
  EXPECT_EQ(HeadPathOf("a/bert.gguf"), "a/bert.head.gguf");
  EXPECT_EQ(HeadPathOf("a/bert"), "a/bert.head.gguf");
}

TEST(HeadFile, EachKindIsReadAgain) {
  SampleHead mask(HeadKind::kFillMask);
  EXPECT_EQ(mask.Fault(), "");
  EXPECT_EQ(mask.Parse()->kind, HeadKind::kFillMask);
  EXPECT_TRUE(mask.Parse()->tied());
  EXPECT_EQ(mask.Parse()->ShapeOn(Body()).outputs(), 260U);
  EXPECT_EQ(mask.Parse()->body, std::string(64, '0'));
  SampleHead tags(HeadKind::kTokenClassification, {"O", "B-X"});
  EXPECT_EQ(tags.Fault(), "");
  EXPECT_THAT(tags.Parse()->labels, ElementsAre("O", "B-X"));
  EXPECT_EQ(tags.Parse()->ShapeOn(Body()).outputs(), 2U);
  EXPECT_EQ(SampleHead(HeadKind::kQuestionAnswering).Fault(), "");
}

TEST(HeadFile, AnUntiedDecoderHasItsMatrix) {
  SampleHead head(HeadKind::kFillMask);
  head.tensors.push_back(
      GgufSample::Tensor("head.decoder.weight", GgmlType::kF16, {8, 260}));
  EXPECT_EQ(head.Fault(), "");
  EXPECT_FALSE(head.Parse()->tied());
  head.tensors.back().shape[1] = 259;
  EXPECT_EQ(head.Fault(),
            "body.head.gguf: tensor 'head.decoder.weight' is 8 x 259, on this "
            "body it is 8 x 260");
}

TEST(HeadFile, OddKeysAreNamed) {
  const auto fault = [](const char* key, GgufValue value) {
    SampleHead head(HeadKind::kTokenClassification, {"O", "B-X"});
    head[key] = std::move(value);
    return head.Fault();
  };
  const auto missing = [](const char* key) {
    SampleHead head(HeadKind::kTokenClassification, {"O", "B-X"});
    head.Remove(key);
    return head.Fault();
  };
  const std::string name = "body.head.gguf: ";
  EXPECT_EQ(fault("general.type", std::string("model")),
            name + "'general.type' is not 'head': it is no head");
  EXPECT_EQ(fault("modicum.head.version", uint32_t{2}),
            name + "'modicum.head.version' is not 1");
  EXPECT_EQ(missing("modicum.head.kind"),
            name + "'modicum.head.kind' is missing");
  EXPECT_EQ(fault("modicum.head.kind", std::string("summaries")),
            name + "a head of kind 'summaries' is unknown");
  for (const char* hash : {"", "abc", "ABCDEF"})
    EXPECT_EQ(fault("modicum.head.body_sha256", std::string(hash)),
              name + "'modicum.head.body_sha256' is no SHA-256");
  const std::string labels =
      name +
      "'modicum.head.labels' is missing or no array of two strings or "
      "more";
  EXPECT_EQ(missing("modicum.head.labels"), labels);
  EXPECT_EQ(fault("modicum.head.labels",
                  GgufArray::Of(std::vector<std::string>{"O"})),
            labels);
  EXPECT_EQ(
      fault("modicum.head.labels", GgufArray::Of(std::vector<int32_t>{1, 2})),
      labels);
  EXPECT_EQ(fault("modicum.head.labels",
                  GgufArray::Of(std::vector<std::string>{"O", ""})),
            name + "the label '' is no name");
  EXPECT_EQ(fault("modicum.head.kind", std::string("question-answering")),
            name +
                "'modicum.head.labels': a head for question-answering has "
                "no labels");
}

TEST(HeadFile, TensorsThatDoNotFitTheBodyAreNamed) {
  const std::string name = "body.head.gguf: tensor ";
  SampleHead more(HeadKind::kTokenClassification, {"O", "B-X"});
  more["modicum.head.labels"] =
      GgufArray::Of(std::vector<std::string>{"O", "B-X", "I-X"});
  EXPECT_EQ(more.Fault(), name +
                              "'head.output.weight' is 8 x 2, on this body it "
                              "is 8 x 3");
  SampleHead wide(HeadKind::kQuestionAnswering);
  wide.tensors[0].shape[0] = 16;
  EXPECT_EQ(wide.Fault(), name +
                              "'head.output.weight' is 16 x 2, on this body it "
                              "is 8 x 2");
  SampleHead less(HeadKind::kFillMask);
  less.tensors.pop_back();
  EXPECT_EQ(less.Fault(), name + "'head.decoder.bias' is missing");
  SampleHead odd(HeadKind::kQuestionAnswering);
  odd.tensors.push_back(GgufSample::Tensor("cls", GgmlType::kF32, {8}));
  EXPECT_EQ(odd.Fault(), name + "'cls' is of no head for question-answering");
  SampleHead other(HeadKind::kQuestionAnswering);
  other.tensors[1].type = GgmlType::kI32;
  EXPECT_EQ(other.Fault(), name +
                               "'head.output.bias' is stored as i32; a head is "
                               "in f32, f16 or bf16");
  GgufFile llama = Body();
  llama.metadata[0].second = std::string("llama");
  EXPECT_EQ(
      CheckHeadFits(*SampleHead(HeadKind::kFillMask).Parse(), llama)
          .error()
          .message,
      "body.gguf: a network of architecture 'llama' has no head beside it: "
      "'bert' has");
}

}  // namespace
}  // namespace modicum
