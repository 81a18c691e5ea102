// SPDX-License-Identifier: Apache-2.0
// Networks with LoRA adapters against the same networks with the adapters
// merged into their weights by hand.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "base/file.h"
#include "dataset/temp_folder.h"
#include "model/gguf/random_network.h"
#include "model/neural.h"

namespace modicum {
namespace {

using testing::HasSubstr;

constexpr uint32_t kRank = 4;
constexpr float kAlpha = 8;

// W + scale x alpha / rank x B A, both stored one row after the other; of the
// token embedding, A is stored by columns.
struct Pair {
  std::string of;
  uint64_t columns = 0, rows = 0;
  std::vector<float> a, b;

  double Delta(uint64_t column, uint64_t row) const {
    double sum = 0;
    for (uint64_t r = 0; r < kRank; ++r)
      sum += of == "token_embd.weight"
                 ? double{a[row * kRank + r]} * double{b[column * kRank + r]}
                 : double{a[r * columns + column]} * double{b[row * kRank + r]};
    return sum * double{kAlpha} / kRank;
  }
};

class AdapterTest : public testing::Test {
 protected:
  AdapterTest() : network_(Path("network.gguf")) {
    MODICUM_CHECK(WriteRandomNetwork({}, network_).has_value());
  }
  std::string Path(const std::string& name) const {
    return folder_.path() + "/" + name;
  }

  static std::vector<float> Numbers(size_t count, Rng& rng) {
    std::vector<float> numbers(count);
    for (float& x : numbers) x = static_cast<float>(0.4 * rng.Unit() - 0.2);
    return numbers;
  }
  static std::vector<Pair> PairsFor(const std::string& network,
                                    const std::vector<std::string>& names,
                                    uint64_t seed) {
    const GgufFile file = *ReadGguf(network);
    Rng rng(seed);
    std::vector<Pair> pairs;
    for (const std::string& name : names) {
      const GgufTensor* tensor = file.FindTensor(name);
      MODICUM_CHECK(tensor != nullptr);
      const uint64_t columns = tensor->shape[0], rows = tensor->shape[1];
      const bool embedding = name == "token_embd.weight";
      pairs.push_back({name, columns, rows,
                       Numbers(kRank * (embedding ? rows : columns), rng),
                       Numbers(kRank * (embedding ? columns : rows), rng)});
    }
    return pairs;
  }
  static std::string_view Bytes(const std::vector<float>& numbers) {
    return {reinterpret_cast<const char*>(numbers.data()), 4 * numbers.size()};
  }
  static GgufMetadata Metadata(const std::string& architecture = "llama") {
    return {{"general.type", std::string("adapter")},
            {"general.architecture", architecture},
            {"adapter.type", std::string("lora")},
            {"adapter.lora.alpha", kAlpha}};
  }
  std::string WriteAdapter(const std::string& name,
                           const std::vector<Pair>& pairs,
                           const GgufMetadata& metadata = Metadata()) const {
    std::vector<GgufTensor> tensors;
    for (const Pair& pair : pairs)
      for (const bool a : {true, false}) {
        GgufTensor& tensor = tensors.emplace_back();
        tensor.name = pair.of + (a ? ".lora_a" : ".lora_b");
        tensor.dimensions = 2;
        const std::vector<float>& numbers = a ? pair.a : pair.b;
        const bool tall = !a || pair.of == "token_embd.weight";
        tensor.shape[0] = tall ? kRank : numbers.size() / kRank;
        tensor.shape[1] = tall ? numbers.size() / kRank : kRank;
      }
    auto writer = GgufWriter::Create(Path(name), metadata, tensors);
    MODICUM_CHECK(writer.has_value());
    for (const Pair& pair : pairs) {
      MODICUM_CHECK(writer->Append(Bytes(pair.a)).has_value());
      MODICUM_CHECK(writer->Append(Bytes(pair.b)).has_value());
    }
    MODICUM_CHECK(writer->Finish().has_value());
    return Path(name);
  }
  // The network of which each pair, times its scale, is a part.
  std::string Merge(const std::string& from, const std::string& name,
                    const std::vector<std::pair<Pair, double>>& pairs) const {
    const GgufFile file = *ReadGguf(from);
    const auto bytes = RandomAccessFile::Open(from);
    auto writer = GgufWriter::Create(Path(name), file.metadata, file.tensors);
    MODICUM_CHECK(writer.has_value());
    for (const GgufTensor& tensor : file.tensors) {
      std::vector<float> numbers(tensor.elements());
      MODICUM_CHECK(bytes
                        ->ReadInto(file.data_offset + tensor.offset,
                                   reinterpret_cast<char*>(numbers.data()),
                                   tensor.bytes)
                        .has_value());
      for (const auto& [pair, scale] : pairs)
        for (size_t i = 0; pair.of == tensor.name && i < numbers.size(); ++i)
          numbers[i] += static_cast<float>(
              scale * pair.Delta(i % pair.columns, i / pair.columns));
      MODICUM_CHECK(writer->Append(Bytes(numbers)).has_value());
    }
    MODICUM_CHECK(writer->Finish().has_value());
    return Path(name);
  }

  static Result<std::unique_ptr<NeuralModel>> TryOpen(
      const std::string& path, std::vector<std::string> adapters) {
    NeuralSettings settings;
    settings.threads = 1;
    settings.kv_type = "f32";
    settings.lora = std::move(adapters);
    NullSink sink;
    MODICUM_TRY(NeuralEngine* const engine, FindNeuralEngine());
    return engine->Open(path, settings, {}, {}, sink);
  }
  static std::vector<float> LogitsOf(const std::string& path,
                                     std::vector<std::string> adapters = {}) {
    const auto model = TryOpen(path, std::move(adapters));
    EXPECT_TRUE(model) << model.error().message;
    std::vector<float> all;
    if (!model) return all;
    TokenIds tokens(20);
    std::iota(tokens.begin(), tokens.end(), TokenId{270});
    NullSink sink;
    const Status status = (*model)->Logits(
        tokens, 0, {},
        [&](size_t, std::span<const float> logits) {
          all.insert(all.end(), logits.begin(), logits.end());
        },
        sink);
    EXPECT_TRUE(status);
    return all;
  }
  static double Furthest(const std::vector<float>& a,
                         const std::vector<float>& b) {
    EXPECT_EQ(a.size(), b.size());
    double most = 0;
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
      most = std::fmax(most, std::abs(double{a[i]} - double{b[i]}));
    return most;
  }
  std::string Refusal(const std::string& adapter) const {
    const auto model = TryOpen(network_, {adapter});
    EXPECT_FALSE(model);
    if (model) return "";
    EXPECT_EQ(model.error().code, ErrorCode::kInvalidInput);
    std::string message = model.error().message;
    for (size_t at; (at = message.find(folder_.path() + "/")) != message.npos;)
      message.erase(at, folder_.path().size() + 1);
    return message;
  }

  const TempFolder folder_;
  const std::string network_;
};

const std::vector<std::string> kMatrices = {
    "blk.0.attn_q.weight", "blk.1.ffn_down.weight", "output.weight",
    "token_embd.weight"};

TEST_F(AdapterTest, ComputesAsTheMergedNetwork) {
  const auto pairs = PairsFor(network_, kMatrices, 1);
  const std::string adapter = WriteAdapter("adapter.gguf", pairs);
  const auto alone = LogitsOf(network_);
  for (const auto& [suffix, scale] :
       {std::pair("", 1.0), {":0.5", 0.5}, {":-2", -2.0}}) {
    std::vector<std::pair<Pair, double>> parts;
    for (const Pair& pair : pairs) parts.emplace_back(pair, scale);
    const auto merged = LogitsOf(Merge(network_, "merged.gguf", parts));
    const auto adapted = LogitsOf(network_, {adapter + suffix});
    EXPECT_LT(Furthest(adapted, merged), 2e-3) << suffix;
    EXPECT_GT(Furthest(adapted, alone), 0.1) << suffix;
  }
  EXPECT_EQ(LogitsOf(network_, {adapter + ":0"}), alone);
}

TEST_F(AdapterTest, IsTriedInAChildWithItsNetwork) {
  NeuralEngine* const engine = FindNeuralEngine().value();
  const std::string adapter =
      WriteAdapter("adapter.gguf", PairsFor(network_, kMatrices, 1));
  const std::vector<std::string> good = {network_, adapter};
  EXPECT_EXIT(engine->TryAndEnd(good), testing::ExitedWithCode(0), "");
  const std::vector<std::string> bad = {network_, folder_.Write("b.gguf", "b")};
  EXPECT_EXIT(engine->TryAndEnd(bad), testing::ExitedWithCode(1), "");
}

TEST_F(AdapterTest, SeveralAddUp) {
  const auto first = PairsFor(network_, {"blk.0.attn_v.weight"}, 1);
  const auto second =
      PairsFor(network_, {"blk.0.attn_v.weight", "blk.1.ffn_up.weight"}, 2);
  const auto merged =
      LogitsOf(Merge(network_, "merged.gguf",
                     {{first[0], 1}, {second[0], 0.25}, {second[1], 0.25}}));
  const auto adapted =
      LogitsOf(network_, {WriteAdapter("first.gguf", first),
                          WriteAdapter("second.gguf", second) + ":0.25"});
  EXPECT_LT(Furthest(adapted, merged), 2e-3);
}

TEST_F(AdapterTest, VectorsAreAdaptedToo) {
  const std::string bert = Path("bert.gguf");
  ASSERT_TRUE(WriteRandomNetwork({.architecture = "bert"}, bert));
  const auto pairs =
      PairsFor(bert, {"blk.0.attn_v.weight", "blk.1.ffn_down.weight"}, 3);
  const std::string adapter =
      WriteAdapter("adapter.gguf", pairs, Metadata("bert"));
  const auto vectors = [](const std::string& path,
                          std::vector<std::string> adapters) {
    const auto model = TryOpen(path, std::move(adapters));
    EXPECT_TRUE(model) << model.error().message;
    NullSink sink;
    const std::vector<TokenIds> texts = {{2, 40, 41, 3}};
    return (*model)->Embed(texts, false, {}, sink).value().front();
  };
  const auto adapted = vectors(bert, {adapter});
  EXPECT_LT(Furthest(adapted, vectors(Merge(bert, "merged.gguf",
                                            {{pairs[0], 1}, {pairs[1], 1}}),
                                      {})),
            2e-3);
  EXPECT_GT(Furthest(adapted, vectors(bert, {})), 0.01);
}

TEST_F(AdapterTest, RefusesWhatIsNoAdapterOfTheNetwork) {
  EXPECT_EQ(Refusal(network_),
            "network.gguf: no LoRA adapter: 'general.type' is not 'adapter', "
            "or 'adapter.type' not 'lora'");
  const auto pairs = PairsFor(network_, {"blk.0.attn_q.weight"}, 1);
  EXPECT_EQ(Refusal(WriteAdapter("a.gguf", pairs, Metadata("qwen2"))),
            "a.gguf: an adapter for architecture 'qwen2', and network.gguf is "
            "'llama'");
  Pair wide = pairs[0];
  wide.a.resize(2 * wide.a.size());
  EXPECT_EQ(Refusal(WriteAdapter("a.gguf", {wide})),
            "a.gguf: 'blk.0.attn_q.weight' is 128 x 4 and 4 x 64, which does "
            "not make the 64 x 64 that network.gguf has");
  Pair other = pairs[0];
  other.of = "blk.7.attn_q.weight";
  EXPECT_EQ(Refusal(WriteAdapter("a.gguf", {other})),
            "a.gguf: network.gguf has no matrix 'blk.7.attn_q.weight' that can "
            "be adapted");
  EXPECT_EQ(Refusal(WriteAdapter("a.gguf", {})),
            "a.gguf: the adapter has no tensors");
  GgufMetadata metadata = Metadata();
  metadata.back().second = uint32_t{8};  // llama.cpp aborts
  EXPECT_EQ(Refusal(WriteAdapter("a.gguf", pairs, metadata)),
            "a.gguf: 'adapter.lora.alpha' is no f32");
  EXPECT_EQ(Refusal("a.gguf:half"),
            "adapter 'a.gguf:half': what follows the colon is no scale");
  EXPECT_EQ(Refusal("a.gguf:inf"),
            "adapter 'a.gguf:inf': what follows the colon is no scale");
  Pair infinite = pairs[0];
  infinite.b[5] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(Refusal(WriteAdapter("a.gguf", {infinite})),
              HasSubstr("'blk.0.attn_q.weight.lora_b' has a NaN or an infinity "
                        "at index 5"));
}

// Names altered in place.
TEST_F(AdapterTest, RefusesHalvesAndStrangers) {
  const std::string adapter =
      WriteAdapter("a.gguf", PairsFor(network_, {"blk.0.attn_q.weight"}, 1));
  const std::string whole = *ReadFile(adapter);
  const auto refusal = [&](const std::string& from, const std::string& to) {
    std::string bytes = whole;
    bytes.replace(bytes.find(from), from.size(), to);
    EXPECT_TRUE(WriteFileAtomically(adapter, bytes));
    return Refusal(adapter);
  };
  EXPECT_EQ(refusal("attn_q.weight.lora_b", "attn_k.weight.lora_b"),
            "a.gguf: 'blk.0.attn_q.weight' has '.lora_a' alone, without its "
            "other half");
  EXPECT_EQ(refusal("weight.lora_b", "weight.dora_b"),
            "a.gguf: 'blk.0.attn_q.weight' has '.lora_a' alone, without its "
            "other half");
  EXPECT_EQ(refusal("weight.lora_a", "weight.dora_a"),
            "a.gguf: tensor 'blk.0.attn_q.weight.dora_a' is neither '.lora_a' "
            "nor '.lora_b'");
  // Cut short: refused before llama.cpp sees it.
  ASSERT_TRUE(WriteFileAtomically(adapter, whole.substr(0, whole.size() - 9)));
  EXPECT_THAT(Refusal(adapter), HasSubstr("a.gguf: "));
}

}  // namespace
}  // namespace modicum
