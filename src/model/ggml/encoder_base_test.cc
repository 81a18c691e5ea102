// SPDX-License-Identifier: Apache-2.0
// Heads on bodies from GGUF files: what is kept, what is learnt, what is
// refused, and that llama.cpp computes the same.
#include "model/ggml/encoder_base.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "base/hash.h"
#include "model/bytes.h"
#include "model/ggml/encoder_file.h"
#include "model/ggml/encoder_graph.h"
#include "model/ggml/vocabulary.h"
#include "model/gguf/gguf_writer.h"
#include "model/gguf/random_network.h"
#include "model/network_file.h"
#include "model/params.h"
#include "model/test_data.h"

namespace modicum {
namespace {

using testing::HasSubstr;

RandomNetwork SmallBert() {
  RandomNetwork network;
  network.architecture = "bert";
  network.width = 32;
  network.heads = 2;
  network.inner = 48;
  network.context = 24;
  return network;
}

// The labels of the first topic and of all others.
Dataset TwoOfTopics(size_t per_class, uint64_t seed) {
  Dataset data = MakeTopics(3, per_class, seed);
  data.labels = {"first", "other"};
  for (Item& item : data.items) {
    item.group = item.id;
    if (item.label > 1) item.label = 1;
  }
  return data;
}

class EncoderBaseTest : public testing::Test {
 protected:
  std::string Path(const std::string& name) const {
    return folder_.path() + "/" + name;
  }
  static Params On(const std::string& base, bool frozen) {
    return {{kNetworkParam, base},
            {kNetworkHashParam, ToHex(*Sha256OfFile(base))},
            {kFrozenParam, frozen},
            {"epochs", int64_t{30}},
            {"batch", int64_t{16}}};
  }
  // The folder it trained into; "" with a failed expectation.
  std::string Train(const Dataset& data, const Params& params) {
    const auto trained = TryTrain(data, params);
    EXPECT_TRUE(trained) << trained.error().message;
    return trained ? *trained : "";
  }
  Result<std::string> TryTrain(const Dataset& data, const Params& params) {
    const std::string folder =
        folder_.Sub("model-" + std::to_string(folders_++));
    NullSink sink;
    MODICUM_TRY(Trainer * trainer, FindTrainer("encoder"));
    return trainer
        ->Train(data, AllRowsOf(data), params, {}, nullptr, folder, sink)
        .map([&](const TrainedModel&) { return folder; });
  }
  static double Accuracy(const std::string& folder, const Dataset& data) {
    NullSink sink;
    const auto model = LoadModel("encoder", folder, data.labels, sink);
    EXPECT_TRUE(model) << model.error().message;
    if (!model) return 0;
    return AccuracyOf(*(*model)->Predict(data.items, {}, sink), data.items);
  }
  // A small encoder that tells three topics apart.
  std::string TopicsBase() {
    Dataset data = MakeTopics(3, 60, 1);
    for (Item& item : data.items) item.group = item.id;
    return Train(data, {{"width", int64_t{32}},
                        {"vocabulary", int64_t{150}},
                        {"epochs", int64_t{20}},
                        {"batch", int64_t{16}},
                        {"context", int64_t{24}},
                        {"rate", 5e-3}}) +
           "/" + kNetworkFile;
  }
  static std::string BytesOf(const GgufFile& file, const GgufTensor& tensor) {
    const auto bytes = RandomAccessFile::Open(file.name);
    return *bytes->Read(file.data_offset + tensor.offset, tensor.bytes);
  }
  // How many tensors outside the head differ.
  static size_t Differing(const std::string& a, const std::string& b) {
    const GgufFile one = *ReadGguf(a), other = *ReadGguf(b);
    size_t differing = 0, seen = 0;
    for (const GgufTensor& tensor : one.tensors) {
      if (tensor.name.starts_with("cls.")) continue;
      const GgufTensor* twin = other.FindTensor(tensor.name);
      EXPECT_NE(twin, nullptr) << tensor.name;
      if (twin == nullptr) continue;
      ++seen;
      EXPECT_EQ(twin->shape, tensor.shape) << tensor.name;
      differing += BytesOf(one, tensor) != BytesOf(other, *twin) ? 1 : 0;
    }
    EXPECT_GT(seen, 15U);
    return differing;
  }
  // The refusal of a base of which `from` was replaced by as many bytes.
  std::string RefusalOf(const std::string& path, const std::string& from,
                        const std::string& to) {
    std::string bytes = *ReadWholeFile(path, 1 << 24);
    MODICUM_CHECK(from.size() == to.size());
    const size_t at = bytes.find(from);
    MODICUM_CHECK(at != bytes.npos);
    bytes.replace(at, from.size(), to);
    const std::string altered = Path("altered.gguf");
    EXPECT_TRUE(WriteFileAtomically(altered, bytes));
    return Refusal(altered);
  }
  // Without the folder.
  std::string Refusal(const std::string& path) const {
    const auto base = ReadEncoderBase(path);
    if (base) return "";
    EXPECT_EQ(base.error().code, ErrorCode::kInvalidInput);
    EXPECT_FALSE(base.error().hint.empty());
    EXPECT_TRUE(base.error().message.starts_with(folder_.path() + "/"));
    return base.error().message.substr(folder_.path().size() + 1);
  }

  const TestFolder folder_;
  int folders_ = 0;
};

TEST_F(EncoderBaseTest, AFrozenBodyIsKeptToTheBit) {
  const std::string base = TopicsBase();
  const Dataset data = TwoOfTopics(10, 3);
  const std::string folder = Train(data, On(base, true));
  const std::string made = folder + "/" + kNetworkFile;
  EXPECT_EQ(Differing(base, made), 0U);
  const GgufFile before = *ReadGguf(base), after = *ReadGguf(made);
  EXPECT_EQ(*before.Array("tokenizer.ggml.tokens"),
            *after.Array("tokenizer.ggml.tokens"));
  EXPECT_EQ(after.FindTensor("cls.output.weight")->shape[1], 2U);
  // The same again.
  EXPECT_EQ(*ReadWholeFile(made, 1 << 24),
            *ReadWholeFile(Train(data, On(base, true)) + "/" + kNetworkFile,
                           1 << 24));
}

TEST_F(EncoderBaseTest, ABodyThatLearnsChanges) {
  const std::string base = TopicsBase();
  Params params = On(base, false);
  params["rate"] = 1e-3;
  const std::string folder = Train(TwoOfTopics(10, 3), params);
  // But for the rows of tokens that no text has: whole tensors do.
  EXPECT_GT(Differing(base, folder + "/" + kNetworkFile), 10U);
  EXPECT_GE(Accuracy(folder, TwoOfTopics(40, 4)), 0.9);
}

// Ten texts a topic: a body that was trained on others knows what matters in
// them, one that was not does not.
TEST_F(EncoderBaseTest, WhatWasLearntHelpsOnOtherLabels) {
  const std::string base = TopicsBase();
  const EncoderBase read = *ReadEncoderBase(base);
  EncoderShape shape = read.shape;
  shape.labels = 2;
  EncoderWeights drawn(shape);
  drawn.Draw(1);
  const std::string nothing = Path("nothing.gguf");
  ASSERT_TRUE(SaveEncoder(drawn, read.vocabulary, {"a", "b"}, nothing));
  const Dataset train = TwoOfTopics(10, 3), test = TwoOfTopics(60, 4);
  const double learnt = Accuracy(Train(train, On(base, true)), test);
  const double unlearnt = Accuracy(Train(train, On(nothing, true)), test);
  EXPECT_GE(learnt, 0.9);
  EXPECT_GT(learnt, unlearnt + 0.05);
}

// With kinds of tokens and biases of keys, as an imported BERT has them, and
// stored in half precision.
TEST_F(EncoderBaseTest, LlamaCppScoresAnImportedBodyAlike) {
  const std::string path = Path("bert.gguf");
  ASSERT_TRUE(WriteRandomNetwork(SmallBert(), path));
  const EncoderBase base = *ReadEncoderBase(path);
  EXPECT_EQ(base.shape.token_types, 2U);
  EXPECT_TRUE(base.shape.key_bias);
  EXPECT_EQ(base.unknown, 1);
  EncoderShape shape = base.shape;
  shape.labels = 3;
  EncoderWeights weights(shape, Learns::kHead);
  weights.DrawHead(1);
  ASSERT_TRUE(LoadBody(base, weights));
  const std::string made = Path("made.gguf");
  const std::vector<std::string> labels = {"a", "b", "c"};
  ASSERT_TRUE(SaveEncoder(weights, base.vocabulary, labels, made));
  const auto tokenizer = WordPieceTokenizer::Open(base.vocabulary);
  ASSERT_TRUE(tokenizer);
  std::vector<TokenIds> texts;
  for (const char* text : {"a", "b c d e", "q w e r t y u i o p", ""})
    texts.push_back(*(*tokenizer)->Tokenize(text));
  EXPECT_EQ((*tokenizer)->size(), base.shape.vocabulary);
  NullSink sink;
  NeuralSettings settings;
  settings.threads = 1;
  settings.sequences = 4;
  const auto network =
      (*FindNeuralEngine())->Open(made, settings, {}, {}, sink);
  ASSERT_TRUE(network) << network.error().message;
  const auto theirs = (*network)->Classify(texts, {}, sink);
  ASSERT_TRUE(theirs) << theirs.error().message;
  EncoderGraph graph(weights, 1, {});
  const auto ours =
      graph.Logits(MakeBatch(texts, std::vector<uint32_t>{0, 1, 2, 3}, 24));
  for (size_t i = 0; i < texts.size(); ++i)
    for (size_t label = 0; label < 3; ++label)
      EXPECT_NEAR((*theirs)[i][label], (*ours)[3 * i + label], 0.02);
}

TEST_F(EncoderBaseTest, NumbersAreReadHoweverTheyAreStored) {
  const std::string path = Path("bert.gguf"), half = Path("half.gguf");
  ASSERT_TRUE(WriteRandomNetwork(SmallBert(), path));
  QuantizeOptions options;
  options.type = "f16";
  options.threads = 1;
  ASSERT_TRUE((*FindNeuralEngine())->Quantize(path, half, options));
  const EncoderBase exact = *ReadEncoderBase(path),
                    rounded = *ReadEncoderBase(half);
  EXPECT_EQ(exact.shape, rounded.shape);
  EncoderShape shape = exact.shape;
  shape.labels = 2;
  EncoderWeights a(shape), b(shape);
  ASSERT_TRUE(LoadBody(exact, a));
  ASSERT_TRUE(LoadBody(rounded, b));
  size_t rounded_ones = 0;
  for (size_t p = 0; p < a.parameters().size(); ++p)
    for (size_t i = 0; i < a.parameters()[p].values().size(); ++i) {
      const float x = a.parameters()[p].values()[i];
      const float y = b.parameters()[p].values()[i];
      ASSERT_NEAR(x, y, std::abs(x) / 1024 + 1e-7F);
      rounded_ones += x != y ? 1 : 0;
    }
  EXPECT_GT(rounded_ones, 1000U);
}

TEST_F(EncoderBaseTest, RefusesWhatIsNoBase) {
  const std::string llama = Path("llama.gguf");
  ASSERT_TRUE(WriteRandomNetwork({}, llama));
  EXPECT_EQ(Refusal(llama),
            "llama.gguf: a network of architecture 'llama' is no base of an "
            "encoder: 'bert' is");
  const std::string bert = Path("bert.gguf");
  ASSERT_TRUE(WriteRandomNetwork(SmallBert(), bert));
  EXPECT_EQ(Refusal(bert), "");
  EXPECT_EQ(RefusalOf(bert, "blk.1.attn_v.weight", "blk.1.attn_x.weight"),
            "altered.gguf: tensor 'blk.1.attn_v.weight' is missing");
  EXPECT_EQ(RefusalOf(bert, "blk.1.attn_v.bias", "blk.1.attn_x.bias"),
            "altered.gguf: tensor 'blk.1.attn_x.bias' is of no BERT");
  const auto number = [](std::string key, uint32_t value) {
    return key + std::string("\x04\0\0\0", 4) +
           std::string(reinterpret_cast<const char*>(&value), 4);
  };
  EXPECT_EQ(RefusalOf(bert, number("bert.feed_forward_length", 48),
                      number("bert.feed_forward_length", 64)),
            "altered.gguf: tensor 'blk.0.ffn_up.weight' is 32 x 48, by the "
            "metadata it is 32 x 64");
  EXPECT_THAT(
      RefusalOf(bert, std::string("bert.attention.causal\x07\0\0\0\0", 26),
                std::string("bert.attention.causal\x07\0\0\0\x01", 26)),
      HasSubstr("it reads forwards alone"));
}

TEST_F(EncoderBaseTest, ANumberThatIsNoneIsNamed) {
  const std::string bert = Path("bert.gguf");
  ASSERT_TRUE(WriteRandomNetwork(SmallBert(), bert));
  const GgufFile file = *ReadGguf(bert);
  std::string bytes = *ReadWholeFile(bert, 1 << 24);
  const GgufTensor* tensor = file.FindTensor("blk.1.ffn_down.weight");
  bytes.replace(file.data_offset + tensor->offset + 4 * 7, 4,
                std::string("\0\0\x80\x7f", 4));
  ASSERT_TRUE(WriteFileAtomically(bert, bytes));
  const auto trained = TryTrain(TwoOfTopics(5, 1), On(bert, true));
  ASSERT_FALSE(trained);
  EXPECT_THAT(trained.error().message,
              HasSubstr("tensor 'blk.1.ffn_down.weight' has a NaN or an "
                        "infinity at index 7"));
}

TEST_F(EncoderBaseTest, RefusesParametersThatTheBaseHas) {
  const std::string bert = Path("bert.gguf");
  ASSERT_TRUE(WriteRandomNetwork(SmallBert(), bert));
  const Dataset data = TwoOfTopics(5, 1);
  Params params = On(bert, true);
  params["layers"] = int64_t{2};
  EXPECT_EQ(TryTrain(data, params).error().message,
            "parameter layers: the base has its own");
  EXPECT_EQ(TryTrain(data, {{kFrozenParam, true}}).error().message,
            "parameter frozen: there is no base to freeze");
  params = On(bert, true);
  params[kNetworkHashParam] = std::string(64, '0');
  EXPECT_THAT(TryTrain(data, params).error().message,
              HasSubstr("bert.gguf changed while it was used"));
}

}  // namespace
}  // namespace modicum
