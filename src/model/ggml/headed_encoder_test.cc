// SPDX-License-Identifier: Apache-2.0
// Heads as Hugging Face has them, with random weights, imported and computed:
// against the reference in double precision, whose numbers come straight from
// the folder's tensors.
#include "model/ggml/headed_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/ggml/reference_encoder.h"
#include "model/import/import_folder.h"
#include "model/import/import_sample.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;

// Which of GGUF's names is which of the folder's.
std::string HfName(std::string name) {
  constexpr std::pair<const char*, const char*> kParts[] = {
      {"head.transform_norm", "cls.predictions.transform.LayerNorm"},
      {"head.transform", "cls.predictions.transform.dense"},
      {"head.decoder.bias", "cls.predictions.bias"},
      {"head.decoder", "cls.predictions.decoder"},
      {"token_embd_norm", "bert.embeddings.LayerNorm"},
      {"token_embd", "bert.embeddings.word_embeddings"},
      {"position_embd", "bert.embeddings.position_embeddings"},
      {"token_types", "bert.embeddings.token_type_embeddings"},
      {"blk.", "bert.encoder.layer."},
      {"attn_output_norm", "attention.output.LayerNorm"},
      {"layer_output_norm", "output.LayerNorm"},
      {"attn_q", "attention.self.query"},
      {"attn_k", "attention.self.key"},
      {"attn_v", "attention.self.value"},
      {"attn_output", "attention.output.dense"},
      {"ffn_up", "intermediate.dense"},
      {"ffn_down", "output.dense"}};
  for (const auto& [from, to] : kParts)
    if (const size_t at = name.find(from); at != std::string::npos)
      name.replace(at, std::string_view(from).size(), to);
  return name;
}

EncoderShape ShapeOf(const HfSample& sample, HeadKind kind) {
  EncoderShape shape{.vocabulary = 57,
                     .width = 16,
                     .layers = 2,
                     .heads = 2,
                     .feed_forward = 32,
                     .context = 32,
                     .epsilon = 1e-12F,
                     .token_types = 2,
                     .key_bias = true,
                     .head = kind};
  shape.labels = static_cast<uint32_t>(
      sample.config.value("id2label", nlohmann::json()).size());
  shape.tied = !sample.tensors.contains("cls.predictions.decoder.weight");
  return shape;
}

ReferenceEncoder ReferenceOf(const HfSample& sample, HeadKind kind) {
  EncoderWeights weights(ShapeOf(sample, kind), Learns::kNothing);
  for (const Parameter& parameter : weights.parameters()) {
    std::string name = HfName(parameter.value->name);
    if (name.starts_with("head.output"))
      name.replace(
          0, 11,
          kind == HeadKind::kQuestionAnswering ? "qa_outputs" : "classifier");
    const std::vector<float>& from = sample.tensors.at(name).values;
    MODICUM_CHECK(from.size() == parameter.values().size());
    std::ranges::copy(from, parameter.values().begin());
  }
  return ReferenceEncoder(weights, ReferenceEncoder::Activation::kErf);
}

// Of the lengths 1 to 32 that there are, some twice; the odd ones of two kinds.
std::vector<AskedText> SomeTexts() {
  Rng rng(7);
  std::vector<AskedText> texts;
  for (const size_t length : {5U, 1U, 32U, 5U, 9U, 2U, 5U, 31U, 9U}) {
    AskedText& text = texts.emplace_back();
    for (size_t i = 0; i < length; ++i)
      text.tokens.push_back(static_cast<TokenId>(rng.Below(57)));
    if (length % 2 == 1) text.second = static_cast<uint32_t>(length / 2);
    if (length == 9) text.places = {0, 3, 8};
  }
  return texts;
}

class HeadedEncoderTest : public ::testing::Test {
 protected:
  HeadedEncoderTest()
      : folder_(
            ::testing::TempDir() + "modicum-headed-" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
  }
  ~HeadedEncoderTest() override { std::filesystem::remove_all(folder_); }

  std::string Import(const HfSample& sample) {
    sample.Write(folder_ + "/tiny");
    const auto imported =
        ImportFolder(folder_ + "/tiny", folder_ + "/tiny.gguf");
    EXPECT_TRUE(imported.has_value()) << imported.error().message;
    return folder_ + "/tiny.gguf";
  }
  Result<std::unique_ptr<HeadedEncoder>> Open(
      const std::string& path, const NeuralSettings& settings = {}) {
    MODICUM_TRY(NeuralEngine* const engine, FindNeuralEngine());
    NullSink sink;
    return engine->OpenHeaded(path, settings, {}, sink);
  }

  void ExpectTheReferencesLogits(const HfSample& sample, HeadKind kind) {
    const std::string path = Import(sample);
    const ReferenceEncoder reference = ReferenceOf(sample, kind);
    const std::vector<AskedText> texts = SomeTexts();
    for (const int together : {1, 20, 1000}) {
      NeuralSettings settings;
      settings.threads = 2;
      settings.micro_batch = together;
      auto encoder = Open(path, settings);
      ASSERT_TRUE(encoder.has_value()) << encoder.error().message;
      EXPECT_EQ((*encoder)->kind(), kind);
      NullSink sink;
      const auto logits = (*encoder)->Logits(texts, {}, sink);
      ASSERT_TRUE(logits.has_value()) << logits.error().message;
      ASSERT_EQ(logits->size(), texts.size());
      for (size_t i = 0; i < texts.size(); ++i)
        ExpectRows((*logits)[i], texts[i], reference);
    }
  }
  static void ExpectRows(const std::vector<float>& logits,
                         const AskedText& text,
                         const ReferenceEncoder& reference) {
    const auto all = reference.TokenLogits(text.tokens, text.second);
    std::vector<double> expected;
    for (size_t t = 0; t < all.size(); ++t)
      if (text.places.empty() ||
          std::ranges::count(text.places, static_cast<uint32_t>(t)) > 0)
        expected.insert(expected.end(), all[t].begin(), all[t].end());
    ASSERT_EQ(logits.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(logits[i], expected[i], 1e-4);
  }

  std::string folder_;
};

TEST_F(HeadedEncoderTest, FillsMasksAsTheReference) {
  ExpectTheReferencesLogits(BertHeadSample(HeadKind::kFillMask),
                            HeadKind::kFillMask);
}

TEST_F(HeadedEncoderTest, FillsMasksWithADecoderOfItsOwn) {
  HfSample sample = BertHeadSample(HeadKind::kFillMask);
  sample.config["tie_word_embeddings"] = false;
  sample.Add("cls.predictions.decoder.weight", {57, 16});
  ExpectTheReferencesLogits(sample, HeadKind::kFillMask);
}

TEST_F(HeadedEncoderTest, ClassifiesTokensAsTheReference) {
  ExpectTheReferencesLogits(
      BertHeadSample(HeadKind::kTokenClassification, {"O", "B-X", "I-X"}),
      HeadKind::kTokenClassification);
}

TEST_F(HeadedEncoderTest, FindsAnswersAsTheReference) {
  ExpectTheReferencesLogits(BertHeadSample(HeadKind::kQuestionAnswering),
                            HeadKind::kQuestionAnswering);
}

TEST_F(HeadedEncoderTest, KnowsItsVocabularyAndItself) {
  const auto encoder =
      *Open(Import(BertHeadSample(HeadKind::kTokenClassification, {"O", "I"})));
  const NeuralInfo& info = encoder->info();
  EXPECT_EQ(info.architecture, "bert");
  EXPECT_EQ(info.labels, (std::vector<std::string>{"O", "I"}));
  EXPECT_EQ(info.context, 32U);
  EXPECT_EQ(info.vocabulary, 57U);
  EXPECT_EQ(encoder->marks().begin, 2);
  EXPECT_EQ(encoder->marks().separator, 3);
  EXPECT_EQ(encoder->marks().mask, 4);
  const auto pieces = encoder->Pieces("Ab c[MASK]");
  ASSERT_TRUE(pieces.has_value());
  std::string text;
  for (const TokenId token : *pieces) text += encoder->Piece(token) + "|";
  EXPECT_EQ(text, " a|b| c|[UNK]| m|a|s|k|[UNK]|");
  EXPECT_TRUE(encoder->Pieces("")->empty());
}

// llama.cpp itself reads the body, as an encoder without a head.
TEST_F(HeadedEncoderTest, LlamaCppEmbedsWithTheBody) {
  const std::string path = Import(BertHeadSample(HeadKind::kFillMask));
  NullSink sink;
  const auto model = (*FindNeuralEngine())->Open(path, {}, {}, {}, sink);
  ASSERT_TRUE(model.has_value()) << model.error().message;
  const auto vectors =
      (*model)->Embed(std::vector<TokenIds>{{2, 5, 6, 3}}, true, {}, sink);
  ASSERT_TRUE(vectors.has_value()) << vectors.error().message;
  EXPECT_EQ((*vectors)[0].size(), 16U);
}

TEST_F(HeadedEncoderTest, ReportsItsPhasesAndTokens) {
  struct Steps : PhaseSink {
    void Begin(Phase phase) override { begun.push_back(phase); }
    void Step(Phase, std::span<const SeqWork> work) override {
      ++steps;
      for (const SeqWork& one : work) tokens += one.tokens_in;
    }
    std::vector<Phase> begun;
    size_t steps = 0;
    uint64_t tokens = 0;
  } sink;
  NeuralSettings settings;
  settings.micro_batch = 40;
  const std::string path = Import(BertHeadSample(HeadKind::kQuestionAnswering));
  auto encoder = (*FindNeuralEngine())->OpenHeaded(path, settings, {}, sink);
  ASSERT_TRUE(encoder.has_value()) << encoder.error().message;
  const std::vector<AskedText> texts = SomeTexts();
  ASSERT_TRUE((*encoder)->Logits(texts, {}, sink).has_value());
  EXPECT_EQ(sink.begun, (std::vector<Phase>{Phase::kLoad, Phase::kPrefill}));
  // 32; 31 and 9; 9 with what is left.
  EXPECT_EQ(sink.steps, 3U);
  EXPECT_EQ(sink.tokens, 5U + 1 + 32 + 5 + 9 + 2 + 5 + 31 + 9);
}

TEST_F(HeadedEncoderTest, EndsWhenItIsStoppedOrLate) {
  const auto encoder =
      *Open(Import(BertHeadSample(HeadKind::kQuestionAnswering)));
  NullSink sink;
  std::stop_source stop;
  stop.request_stop();
  CallOptions call;
  call.stop = stop.get_token();
  const std::vector<AskedText> texts = SomeTexts();
  EXPECT_EQ(encoder->Logits(texts, call, sink).error().code,
            ErrorCode::kInterrupted);
  CallOptions late;
  late.deadline = SystemClock().Now();
  EXPECT_EQ(encoder->Logits(texts, late, sink).error().message,
            "the deadline has passed");
  EXPECT_TRUE(encoder->Logits(texts, {}, sink).has_value());
}

TEST_F(HeadedEncoderTest, RefusesWhatItCannotRead) {
  const std::string path = Import(BertHeadSample(HeadKind::kQuestionAnswering));
  const auto encoder = *Open(path);
  NullSink sink;
  const auto fault = [&](AskedText text) {
    return encoder->Logits(std::vector{std::move(text)}, {}, sink)
        .error()
        .message;
  };
  EXPECT_EQ(fault({}), "a text is empty");
  EXPECT_EQ(fault({TokenIds(33, 5)}),
            "a text has 33 tokens, the context holds 32");
  EXPECT_EQ(fault({{2, 57}}), "token 57 is not in the vocabulary");
  NeuralSettings longer;
  longer.context = 33;
  EXPECT_THAT(Open(path, longer).error().message,
              HasSubstr("has places for 32 tokens, not for 33"));
  NeuralSettings adapted;
  adapted.lora = {"a.gguf"};
  EXPECT_EQ(Open(path, adapted).error().message,
            "adapters are not computed with a head");
  HfSample maskless = BertHeadSample(HeadKind::kFillMask);
  maskless.settings.erase("mask_token");
  auto& vocabulary = maskless.tokenizer["model"]["vocab"];
  vocabulary["[HIDE]"] = vocabulary["[MASK]"];
  vocabulary.erase("[MASK]");
  maskless.tokenizer["added_tokens"].erase(4);
  EXPECT_THAT(Open(Import(maskless)).error().message,
              HasSubstr("the vocabulary has no mask token"));
}

}  // namespace
}  // namespace modicum
