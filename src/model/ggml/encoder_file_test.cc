// SPDX-License-Identifier: Apache-2.0
// The exported file in stock llama.cpp: the same tokens, the same logits.
#include "model/ggml/encoder_file.h"

#include <gmock/gmock.h>

#include "model/ggml/encoder_graph.h"
#include "model/ggml/encoder_sample.h"
#include "model/ggml/reference_encoder.h"
#include "model/ggml/vocabulary.h"
#include "model/gguf/random_network.h"
#include "model/neural.h"
#include "model/test_data.h"

namespace modicum {
namespace {

// Words of several scripts, punctuation, blanks and symbols of all kinds.
std::vector<std::string> ManyTexts() {
  static constexpr std::string_view kParts[] = {
      "the",    "film",   "Unbelievable", "été",    "ÉTÉ",
      "naïve",  "Straße", "привет",       "Мир",    "ελληνικά",
      "日本語", "한국어", "العربية",      "हिन्दी",  "!",
      "...",    "—",      "“so”",         "don't",  "x=1+2",
      "$5",     "🙂",   "\t",           "\n",     "  ",
      "[CLS]",  "▁",      "a\u0301",      "\u200B", "\uFEFF",
      "ﬁn",     "Ǆ",      "İstanbul",     "\u0001", "9.99"};
  Rng rng(7);
  std::vector<std::string> texts = {"", " ", "film"};
  for (int i = 0; i < 400; ++i) {
    std::string text;
    for (uint32_t n = 1 + rng.Below(12); n > 0; --n) {
      text += kParts[rng.Below(std::size(kParts))];
      if (rng.Below(4) > 0) text += ' ';
    }
    texts.push_back(text);
  }
  return texts;
}

std::vector<std::string> VocabularyOf(const std::vector<std::string>& texts,
                                      size_t size) {
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const auto tokens = LearnVocabulary(views, size, {});
  EXPECT_TRUE(tokens);
  return *tokens;
}

TEST(Vocabulary, SpecialsCharactersThenPieces) {
  const std::vector<std::string> texts(3, "low Lower lowest, newest NEWER!");
  const auto tokens = VocabularyOf(texts, 100);
  EXPECT_EQ(tokens[kClassToken], "[CLS]");
  EXPECT_EQ(tokens[kSpecialTokens], "▁");
  for (const char* piece : {"l", "▁low", "▁lower", "▁,", "▁!", "st"})
    EXPECT_THAT(tokens, testing::Contains(piece));
  const auto tokenizer = WordPieceTokenizer::Open(DescribeVocabulary(tokens));
  ASSERT_TRUE(tokenizer);
  const auto ids = (*tokenizer)->Tokenize("Lower qqq");
  ASSERT_EQ(ids->size(), 4U);
  EXPECT_EQ(ids->front(), kClassToken);
  EXPECT_EQ(tokens[static_cast<size_t>((*ids)[1])], "▁lower");
  EXPECT_EQ((*ids)[2], kUnknownToken);
  EXPECT_EQ(ids->back(), kSeparatorToken);
}

TEST(Vocabulary, IsNoLargerThanAsked) {
  const auto texts = ManyTexts();
  for (const size_t size : {100U, 150U, 300U})
    EXPECT_LE(VocabularyOf(texts, size).size(), size);
  EXPECT_EQ(VocabularyOf(texts, 150), VocabularyOf(texts, 150));
}

TEST(EncoderFile, LlamaCppReadsAndScoresAlike) {
  const auto engine = FindNeuralEngine();
  ASSERT_TRUE(engine) << engine.error().message;
  const std::vector<std::string> texts = ManyTexts();
  const auto tokens = VocabularyOf(texts, 200);
  const auto tokenizer = WordPieceTokenizer::Open(DescribeVocabulary(tokens));
  ASSERT_TRUE(tokenizer);
  const TestFolder folder;
  for (const uint32_t layers : {1U, 2U, 3U}) {
    EncoderShape shape{.vocabulary = static_cast<uint32_t>(tokens.size()),
                       .labels = 3,
                       .width = 32 * layers,
                       .layers = layers,
                       .heads = layers,
                       .feed_forward = 48,
                       .context = 24};
    EncoderWeights weights(shape);
    weights.Draw(layers);
    Rng rng(1);
    std::vector<float> values = weights.Copy();
    for (float& value : values)
      value += static_cast<float>(0.2 * (rng.Unit() - 0.5));
    weights.Set(values);
    const std::string path = folder.path() + "/model.gguf";
    const std::vector<std::string> labels = {"bad", "good", "so, so"};
    ASSERT_TRUE(SaveEncoder(weights, DescribeVocabulary(tokens), labels, path));
    NullSink sink;
    NeuralSettings settings;
    settings.threads = 1;
    settings.sequences = 16;
    const auto network = (*engine)->Open(
        path, settings, [](double) {}, {}, sink);
    ASSERT_TRUE(network) << network.error().message;
    EXPECT_EQ((*network)->info().labels, labels);
    EXPECT_EQ((*network)->info().parameters, ParametersOf(shape));
    EXPECT_EQ((*network)->info().layers, layers);
    std::vector<TokenIds> ids;
    for (const std::string& text : texts) {
      ids.push_back(*(*tokenizer)->Tokenize(text));
      EXPECT_EQ(*(*network)->Tokenize(text, true), ids.back()) << text;
    }
    const auto theirs = (*network)->Classify(ids, {}, sink);
    ASSERT_TRUE(theirs) << theirs.error().message;
    EncoderGraph graph(weights, 1, {});
    const auto ours = graph.Logits(MakeBatch(
        ids,
        [&] {
          std::vector<uint32_t> all(ids.size());
          std::iota(all.begin(), all.end(), 0U);
          return all;
        }(),
        shape.context));
    ASSERT_TRUE(ours);
    float smallest = 1e9F, largest = -1e9F;
    for (size_t i = 0; i < ids.size(); ++i)
      for (size_t label = 0; label < 3; ++label) {
        const float logit = (*ours)[3 * i + label];
        EXPECT_NEAR((*theirs)[i][label], logit, 0.02) << texts[i];
        smallest = std::min(smallest, logit);
        largest = std::max(largest, logit);
      }
    EXPECT_GT(largest - smallest, 0.5F);  // the texts do differ
  }
}

// A query and a document in one text, by a head of one output, as computed in
// double precision.
TEST(EncoderFile, LlamaCppRanksPairsAlike) {
  const auto engine = FindNeuralEngine();
  ASSERT_TRUE(engine) << engine.error().message;
  const std::vector<std::string> texts = ManyTexts();
  const GgufMetadata vocabulary = DescribeVocabulary(VocabularyOf(texts, 200));
  const auto tokenizer = WordPieceTokenizer::Open(vocabulary);
  ASSERT_TRUE(tokenizer);
  const EncoderShape shape{
      .vocabulary = static_cast<uint32_t>((*tokenizer)->size()),
      .labels = 1,
      .width = 32,
      .layers = 2,
      .heads = 2,
      .feed_forward = 48,
      .context = 64};
  const auto weights = SomeWeights(shape);
  const TestFolder folder;
  const std::string path = folder.path() + "/model.gguf";
  ASSERT_TRUE(SaveEncoder(*weights, vocabulary, {"score"}, path));
  NullSink sink;
  NeuralSettings settings;
  settings.threads = 1;
  settings.sequences = 4;
  const auto network = (*engine)->Open(path, settings, {}, {}, sink);
  ASSERT_TRUE(network) << network.error().message;
  const std::string query = "the film";
  const TokenIds asked = *(*tokenizer)->Tokenize(query);
  const std::vector<std::string> documents = {
      "Unbelievable film", "x=1+2", "", "the the film, don't ... the film"};
  std::vector<TokenIds> pairs;
  for (const std::string& document : documents) {
    pairs.push_back(*(*network)->TokenizePair(query, document));
    TokenIds expected = asked;  // [CLS] query [SEP] document [SEP]
    const TokenIds answer = *(*tokenizer)->Tokenize(document);
    expected.insert(expected.end(), answer.begin() + 1, answer.end());
    EXPECT_EQ(pairs.back(), expected) << document;
  }
  const auto scores = (*network)->Classify(pairs, {}, sink);
  ASSERT_TRUE(scores) << scores.error().message;
  const ReferenceEncoder reference(*weights);
  for (size_t i = 0; i < pairs.size(); ++i) {
    ASSERT_EQ((*scores)[i].size(), 1U);
    EXPECT_NEAR((*scores)[i][0], reference.Logits(pairs[i])[0], 0.02);
  }
  EXPECT_GT(std::abs((*scores)[0][0] - (*scores)[3][0]), 0.05);
}

TEST(EncoderFile, AClassifierIsNoReranker) {
  const auto engine = FindNeuralEngine();
  ASSERT_TRUE(engine) << engine.error().message;
  const TestFolder folder;
  const std::string path = folder.path() + "/model.gguf";
  ASSERT_TRUE(WriteRandomNetwork(
      {.architecture = "bert", .pooling = 4, .labels = {"a", "b"}}, path));
  NullSink sink;
  const auto network = (*engine)->Open(path, {}, {}, {}, sink);
  ASSERT_TRUE(network) << network.error().message;
  const auto pair = (*network)->TokenizePair("a", "b");
  ASSERT_FALSE(pair);
  EXPECT_EQ(pair.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(pair.error().message,
            path + " is no reranker: an encoder with a head of one output is");
}

TEST(EncoderFile, NothingIsLeftWhereItCannotBeWritten) {
  EncoderWeights weights({.vocabulary = 6, .labels = 2, .width = 32});
  const auto saved =
      SaveEncoder(weights, DescribeVocabulary({"a", "b", "c", "d", "e", "f"}),
                  {"x", "y"}, "/proc/modicum/model.gguf");
  ASSERT_FALSE(saved);
}

}  // namespace
}  // namespace modicum
