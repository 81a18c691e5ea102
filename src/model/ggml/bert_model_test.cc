// SPDX-License-Identifier: Apache-2.0
// Encoders by BLAS against llama.cpp.
#include <cmath>
#include <fstream>

#include "model/ggml/neural_fixture.h"
#include "model/gguf/gguf_file.h"

namespace modicum {
namespace {

// A vocabulary of WordPiece, from [PAD] to [MASK] and on.
std::vector<std::string> WordPieces() {
  std::vector<std::string> tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]",
                                     "[MASK]"};
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    tokens.push_back(std::string("\xE2\x96\x81") + letter);
    tokens.emplace_back(1, letter);
  }
  while (tokens.size() < 300)
    tokens.push_back("[unused" + std::to_string(tokens.size()) + "]");
  return tokens;
}

class BertByBlas : public Neural {
 protected:
  // One network, by BLAS and by llama.cpp; null: there is no BLAS here.
  std::unique_ptr<NeuralModel> Ours(uint32_t pooling,
                                    std::vector<std::string> labels = {}) {
    auto model =
        OpenRandom({.sequences = 8, .micro_batch = 64, .vectors = true},
                   {.architecture = "bert",
                    .vocabulary = 300,
                    .pooling = pooling,
                    .labels = std::move(labels),
                    .tokens = WordPieces()});
    return model->info().engine == "ggml" ? std::move(model) : nullptr;
  }
  std::unique_ptr<NeuralModel> Theirs() {
    return Open(path_, {.sequences = 8});
  }
};
#define MODICUM_SKIP_WITHOUT(model) \
  if (model == nullptr) GTEST_SKIP() << "there is no OpenBLAS here"

TEST_F(BertByBlas, EmbedsAsLlamaCpp) {
  for (const uint32_t pooling : {1U, 2U}) {
    const auto ours = Ours(pooling);
    MODICUM_SKIP_WITHOUT(ours);
    const auto theirs = Theirs();
    Recorder recorder;
    ExpectNear(ours->Embed(Texts(), true, {}, recorder).value(),
               theirs->Embed(Texts(), true, {}, sink_).value());
    EXPECT_EQ(recorder.tokens[Phase::kPrefill], 243U);
    const TokenIds text = ours->Tokenize("ab c, d", true).value();
    EXPECT_EQ(text, theirs->Tokenize("ab c, d", true).value());
    const TokenIds cut(500, TokenId{9});
    ExpectNear(ours->Embed({{cut, text}}, false, {}, sink_).value(),
               theirs->Embed({{cut, text}}, false, {}, sink_).value());
    EXPECT_EQ(
        ErrorOf(ours->Embed({{text, {}}}, true, {}, sink_).map([](auto) {})),
        "text 2 is empty");
    EXPECT_EQ(ErrorOf(ours->Classify({{text}}, {}, sink_).map([](auto) {})),
              path_ + " has no classification head");
    EXPECT_EQ(
        ErrorOf(ours->Generate(text, Greedy(1), {}, sink_).map([](auto) {})),
        path_ + " is an encoder: it continues no text");
  }
}

TEST_F(BertByBlas, ClassifiesAsLlamaCpp) {
  const auto ours = Ours(4, {"ham", "spam", "none"});
  MODICUM_SKIP_WITHOUT(ours);
  const auto theirs = Theirs();
  EXPECT_EQ(ours->info().labels, theirs->info().labels);
  ExpectNear(ours->Classify(Texts(), {}, sink_).value(),
             theirs->Classify(Texts(), {}, sink_).value());
  EXPECT_EQ(ErrorOf(ours->Embed(Texts(), true, {}, sink_).map([](auto) {})),
            path_ + " classifies texts: it has no vectors of them");
  EXPECT_EQ(ErrorOf(ours->TokenizePair("a", "b").map([](auto) {})),
            ErrorOf(theirs->TokenizePair("a", "b").map([](auto) {})));
}

TEST_F(BertByBlas, RanksPairsAsLlamaCpp) {
  const auto ours = Ours(4, {"relevance"});
  MODICUM_SKIP_WITHOUT(ours);
  const auto theirs = Theirs();
  const TokenIds pair = ours->TokenizePair("a b", "c").value();
  EXPECT_EQ(pair, theirs->TokenizePair("a b", "c").value());
  ExpectNear(ours->Classify({{pair}}, {}, sink_).value(),
             theirs->Classify({{pair}}, {}, sink_).value());
}

TEST_F(BertByBlas, DescribesItselfAsLlamaCpp) {
  const auto ours = Ours(1);
  MODICUM_SKIP_WITHOUT(ours);
  const auto theirs = Theirs();
  const NeuralInfo& a = ours->info();
  const NeuralInfo& b = theirs->info();
  EXPECT_EQ(a.architecture, b.architecture);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.file_type, b.file_type);
  EXPECT_EQ(a.parameters, b.parameters);
  EXPECT_EQ(a.bytes, b.bytes);
  EXPECT_EQ(a.layers, b.layers);
  EXPECT_EQ(a.width, b.width);
  EXPECT_EQ(a.context, b.context);
  EXPECT_EQ(a.context_trained, b.context_trained);
  EXPECT_EQ(a.vocabulary, b.vocabulary);
  EXPECT_EQ(a.generates, b.generates);
}

TEST_F(BertByBlas, ReadsWhatIsQuantizedWhereAskedTo) {
  const auto whole = Ours(1);
  MODICUM_SKIP_WITHOUT(whole);
  NeuralEngine& engine = *FindNeuralEngine().value();
  const std::string other = folder_.path() + "/other.gguf";
  ASSERT_TRUE(engine.Quantize(path_, other, {.type = "f16"}));
  const auto half = Open(other, {.vectors = true});
  EXPECT_EQ(half->info().engine, "ggml");
  EXPECT_EQ(half->info().file_type, "F16");
  ExpectNear(half->Embed(Texts(), true, {}, sink_).value(),
             whole->Embed(Texts(), true, {}, sink_).value());
  ASSERT_TRUE(engine.Quantize(path_, other, {.type = "q8_0"}));
  const auto theirs = Open(other, {.sequences = 8, .vectors = true});
  EXPECT_EQ(theirs->info().engine, "llama.cpp");
  const auto ours = Open(other, {.blas = "on", .vectors = true});
  EXPECT_EQ(ours->info().engine, "ggml");
  EXPECT_EQ(ours->info().file_type, theirs->info().file_type);
  // llama.cpp rounds what is multiplied to eight bits, too.
  ExpectNear(ours->Embed(Texts(), true, {}, sink_).value(),
             theirs->Embed(Texts(), true, {}, sink_).value(), 0.03F);
}

TEST_F(BertByBlas, IsLlamaCppsWhereItIsOffOrCannotBe) {
  const auto ours = Ours(1);
  MODICUM_SKIP_WITHOUT(ours);
  EXPECT_EQ(Open(path_, {.blas = "off", .vectors = true})->info().engine,
            "llama.cpp");
  // Opened for more than vectors.
  EXPECT_EQ(Open(path_)->info().engine, "llama.cpp");
  const auto error = [&](const NeuralSettings& settings) {
    return ErrorOf(TryOpen(path_, settings).map([](auto) {}));
  };
  EXPECT_EQ(error({.blas = "on"}),
            path_ +
                " cannot be computed by BLAS: it is to give more than "
                "vectors");
  EXPECT_EQ(error({.blas = "maybe", .vectors = true}), "unknown blas 'maybe'");
  EXPECT_EQ(error({.kv_type = "q3", .vectors = true}),
            "unknown type 'q3' of keys and values");
  const std::string decoder = Write({}, "decoder.gguf");
  EXPECT_EQ(
      ErrorOf(
          TryOpen(decoder, {.blas = "on", .vectors = true}).map([](auto) {})),
      decoder +
          " cannot be computed by BLAS: its architecture is llama, not bert");
}

TEST_F(BertByBlas, WhatIsNoNumberIsNoVector) {
  MODICUM_SKIP_WITHOUT(Ours(1));
  const GgufFile file = ReadGguf(path_).value();
  const GgufTensor& tensor = *file.FindTensor("blk.1.ffn_down.weight");
  std::fstream bytes(path_, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(static_cast<std::streamoff>(file.data_offset + tensor.offset));
  const float nan = NAN;
  bytes.write(reinterpret_cast<const char*>(&nan), sizeof nan).flush();
  for (const char* blas : {"on", "off"}) {
    NeuralSettings settings{.sequences = 8, .blas = blas, .vectors = true};
    EXPECT_EQ(ErrorOf(Open(path_, settings)
                          ->Embed(Texts(), true, {}, sink_)
                          .map([](auto) {})),
              path_ + " gives NaN or infinity: its weights are broken")
        << blas;
  }
}

// They read what is not in single precision, too.
TEST_F(BertByBlas, ManyThreadsReadWhatOneDoes) {
  const auto whole = Ours(1);
  MODICUM_SKIP_WITHOUT(whole);
  const std::string other = folder_.path() + "/other.gguf";
  ASSERT_TRUE(
      FindNeuralEngine().value()->Quantize(path_, other, {.type = "f16"}));
  const auto vectors = [&](int threads) {
    return Open(other, {.threads = threads, .blas = "on", .vectors = true})
        ->Embed(Texts(), true, {}, sink_)
        .value();
  };
  ExpectNear(vectors(4), vectors(1));
}

TEST_F(BertByBlas, StopsInTheMiddle) {
  const auto ours = Ours(1);
  MODICUM_SKIP_WITHOUT(ours);
  std::stop_source stop;
  stop.request_stop();
  CallOptions call;
  call.stop = stop.get_token();
  EXPECT_EQ(ours->Embed(Texts(), true, call, sink_).error().code,
            ErrorCode::kInterrupted);
}
#undef MODICUM_SKIP_WITHOUT

}  // namespace
}  // namespace modicum
