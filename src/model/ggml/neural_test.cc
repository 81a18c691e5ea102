// SPDX-License-Identifier: Apache-2.0
// Networks through the module, on random weights and on a real small one; the
// reference is llama.cpp itself, linked into this program.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "model/ggml/neural_fixture.h"
#include "model/ggml/reference.h"
#include "model/ggml/sampler.h"
#include "model/ggml/text_stream.h"
#include "model/ggml/thread_pools.h"
#include "model/log_softmax.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr char kStories[] =
    MODICUM_SOURCE_DIR "/../shared/data/stories260K/stories260K.gguf";

// At `path`, with all weights 0.
void WriteZeros(const GgufFile& file, const std::string& path) {
  GgufWriter writer =
      GgufWriter::Create(path, file.metadata, file.tensors).value();
  for (const GgufTensor& tensor : writer.tensors())
    ASSERT_TRUE(writer.Append(std::string(tensor.bytes, '\0')));
  ASSERT_TRUE(writer.Finish());
}

TEST_F(Neural, SaysWhatItIs) {
  const auto model = OpenRandom();
  const NeuralInfo& info = model->info();
  EXPECT_EQ(info.architecture, "llama");
  EXPECT_EQ(info.name, "random");
  EXPECT_EQ(info.layers, 2U);
  EXPECT_EQ(info.width, 64U);
  EXPECT_EQ(info.context, 128U);
  EXPECT_EQ(info.vocabulary, 320U);
  EXPECT_TRUE(info.generates);
  EXPECT_EQ(info.beginning, 1);
  EXPECT_EQ(info.end, 2);
  EXPECT_EQ(model->Tokenize("b", true).value(), (TokenIds{1, 260}));
  EXPECT_EQ(model->Piece(260), " b");
  EXPECT_EQ(model->Piece(2), "");    // control
  EXPECT_EQ(model->Piece(-1), "");   // none
  EXPECT_EQ(model->Piece(999), "");  // none
  const TokenIds bytes = model->Tokenize("\xC3\xA9", false).value();
  std::string text;
  for (const TokenId token : bytes) text += model->Piece(token);
  EXPECT_EQ(text, " \xC3\xA9");
}

TEST_F(Neural, GreedyTextIsThatOfTheLibrary) {
  const auto model = OpenRandom();
  for (const size_t length : {1U, 7U, 60U}) {
    const TokenIds prompt = Range(3, length);
    const Generation generation =
        model->Generate(prompt, Greedy(40), {}, sink_).value();
    EXPECT_EQ(generation.tokens, ReferenceGreedy(path_, prompt, 40));
    EXPECT_EQ(generation.end, Generation::End::kLength);
  }
}

// The text is that of llama.cpp's greedy sampler (reference.h), kept here so
// that a change in the library's next release is seen.
TEST_F(Neural, TellsAStory) {
  if (!std::filesystem::exists(kStories))
    GTEST_SKIP() << kStories << " is not there";
  const auto model = Open(kStories);
  const TokenIds prompt = model->Tokenize("Once upon a time", true).value();
  EXPECT_EQ(prompt, (TokenIds{1, 403, 407, 261, 378}));
  std::string streamed;
  const Generation generation = model
                                    ->Generate(
                                        prompt, Greedy(24),
                                        [&](std::string_view text) {
                                          streamed += text;
                                          return true;
                                        },
                                        sink_)
                                    .value();
  EXPECT_EQ(generation.tokens, ReferenceGreedy(kStories, prompt, 24));
  EXPECT_EQ(generation.text,
            ", there was a little girl named Lily. She loved to play outside "
            "in the p");
  EXPECT_EQ(streamed, generation.text);
}

TEST_F(Neural, EqualSeedsGiveEqualText) {
  const auto model = OpenRandom();
  GenerateOptions options = Greedy(30);
  options.temperature = 1;
  const auto draw = [&](uint64_t seed) {
    options.call.seed = seed;
    return model->Generate(Range(3, 5), options, {}, sink_).value().tokens;
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
}

TEST_F(Neural, ReportsPhasesAndEveryPass) {
  const auto model = OpenRandom();
  EXPECT_THAT(recorder_.phases, ElementsAre(Phase::kLoad));
  ASSERT_TRUE(model->Generate(Range(3, 5), Greedy(10), {}, recorder_));
  EXPECT_THAT(recorder_.phases,
              ElementsAre(Phase::kLoad, Phase::kPrefill, Phase::kDecode));
  EXPECT_EQ(recorder_.tokens[Phase::kPrefill], 5U);
  // The first token comes out of the prefill.
  EXPECT_EQ(recorder_.steps[Phase::kDecode], 9U);
  EXPECT_EQ(recorder_.tokens[Phase::kDecode], 9U);
  // 14 tokens, 2 layers, keys and values of 2 heads of 16, two bytes each.
  EXPECT_EQ(recorder_.kv_bytes, 14U * 2 * 2 * 2 * 16 * 2);
  ASSERT_TRUE(OpenRandom({.kv_type = "f32"})
                  ->Generate(Range(3, 5), Greedy(10), {}, recorder_));
  EXPECT_EQ(recorder_.kv_bytes, 14U * 2 * 2 * 2 * 16 * 4);
}

TEST_F(Neural, StopsWhenToldTo) {
  const auto model = OpenRandom();
  const TokenIds prompt = Range(3, 5);
  // By the reader: what there is comes back.
  int calls = 0;
  const Generation read =
      model
          ->Generate(
              prompt, Greedy(100),
              [&](std::string_view) { return ++calls < 3; }, sink_)
          .value();
  EXPECT_EQ(read.end, Generation::End::kStopped);
  EXPECT_LT(read.tokens.size(), 100U);
  // By the stop token: an error, in the middle and at the beginning.
  std::stop_source source;
  GenerateOptions options = Greedy(100);
  options.call.stop = source.get_token();
  const auto stopped = model->Generate(
      prompt, options,
      [&](std::string_view) {
        source.request_stop();
        return true;
      },
      sink_);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
  CallOptions call;
  call.stop = source.get_token();
  EXPECT_EQ(model->Logits(prompt, 0, call, {}, sink_).error().code,
            ErrorCode::kInterrupted);
  EXPECT_EQ(model->LogLikelihoods(prompt, {{prompt}}, call, sink_).error().code,
            ErrorCode::kInterrupted);
  // It works as before afterwards.
  EXPECT_EQ(model->Generate(prompt, Greedy(9), {}, sink_).value().tokens,
            ReferenceGreedy(path_, prompt, 9));
}

TEST_F(Neural, ADeadlineEndsWithWhatThereIs) {
  const auto model = OpenRandom();
  GenerateOptions options = Greedy(100);
  options.call.deadline = SystemClock().Now();
  const Generation generation =
      model->Generate(Range(3, 5), options, {}, sink_).value();
  EXPECT_EQ(generation.end, Generation::End::kDeadline);
  EXPECT_THAT(generation.tokens, SizeIs(0));
  const Status logits = model->Logits(Range(3, 5), 0, options.call, {}, sink_);
  EXPECT_EQ(ErrorOf(logits), "the deadline has passed");
}

TEST_F(Neural, KeepsToItsContext) {
  const auto model = OpenRandom({.context = 16});
  EXPECT_EQ(model->info().context, 16U);
  const auto too_long = model->Generate(Range(3, 17), Greedy(1), {}, sink_);
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().message,
            "the prompt has 17 tokens, the context holds 16");
  EXPECT_EQ(too_long.error().hint, "use --context 17 or more");
  EXPECT_EQ(ErrorOf(model->Generate({}, Greedy(1), {}, sink_).map([](auto) {})),
            "the prompt is empty");
  // Ten are read; six more, and what follows the last of them.
  const Generation full =
      model->Generate(Range(3, 10), Greedy(100), {}, sink_).value();
  EXPECT_EQ(full.end, Generation::End::kContext);
  EXPECT_EQ(full.tokens, ReferenceGreedy(path_, Range(3, 10), 7));
  EXPECT_EQ(
      ErrorOf(model->Generate({{500}}, Greedy(1), {}, sink_).map([](auto) {})),
      "llama.cpp failed with code -1: invalid token[0] = 500: failed to "
      "initialize batch");
}

// The log-probability of tokens[i + 1] for every i from `from` on.
std::vector<double> FromLogits(NeuralModel& model, const TokenIds& tokens,
                               size_t from) {
  std::vector<double> all;
  NullSink sink;
  MODICUM_CHECK(model
                    .Logits(
                        tokens, from, {},
                        [&](size_t i, std::span<const float> logits) {
                          if (i + 1 == tokens.size()) return;
                          const auto next = static_cast<size_t>(tokens[i + 1]);
                          all.push_back(double{logits[next]} -
                                        LogSumExp(logits));
                        },
                        sink)
                    .has_value());
  return all;
}

TEST_F(Neural, LogitsAreThoseOfEveryPosition) {
  const auto whole = OpenRandom();
  const auto parts = OpenRandom({.micro_batch = 8});
  const TokenIds tokens = Range(3, 50);
  const std::vector<double> all = FromLogits(*whole, tokens, 0);
  EXPECT_THAT(all, SizeIs(49));
  EXPECT_THAT(FromLogits(*parts, tokens, 0),
              testing::Pointwise(testing::DoubleNear(1e-3), all));
  const std::vector<double> tail(all.begin() + 30, all.end());
  EXPECT_THAT(FromLogits(*parts, tokens, 30),
              testing::Pointwise(testing::DoubleNear(1e-3), tail));
  EXPECT_THAT(FromLogits(*parts, tokens, 50), SizeIs(0));
}

TEST_F(Neural, LikelihoodsAreSumsOfLogits) {
  const std::vector<TokenIds> continuations = {
      {40}, {41, 42, 43}, Range(50, 20), {40, 44}, {41}};
  for (const int sequences : {1, 3, 8}) {
    const auto model =
        OpenRandom({.sequences = sequences, .batch = 16, .micro_batch = 8});
    // The last prompts share what comes before them, are shorter, the same.
    for (const TokenIds& prompt : {Range(3, 20), Range(3, 25), Range(3, 10),
                                   Range(3, 10), TokenIds{7, 3}, TokenIds{9}}) {
      std::vector<double> expected;
      for (const TokenIds& continuation : continuations) {
        TokenIds tokens = prompt;
        tokens.insert(tokens.end(), continuation.begin(), continuation.end());
        const auto reference = OpenRandom();
        const auto parts = FromLogits(*reference, tokens, prompt.size() - 1);
        expected.push_back(std::accumulate(parts.begin(), parts.end(), 0.0));
      }
      EXPECT_THAT(
          model->LogLikelihoods(prompt, continuations, {}, sink_).value(),
          testing::Pointwise(testing::DoubleNear(2e-3), expected));
    }
  }
}

TEST_F(Neural, ASharedPromptIsReadOnce) {
  const auto model = OpenRandom();
  const std::vector<TokenIds> continuations = {{40}, {41}};
  const auto read = [&](const TokenIds& prompt) {
    Recorder recorder;
    MODICUM_CHECK(
        model->LogLikelihoods(prompt, continuations, {}, recorder).has_value());
    return recorder.tokens[Phase::kPrefill];
  };
  EXPECT_EQ(read(Range(3, 30)), 30U);
  EXPECT_EQ(read(Range(3, 30)), 0U);
  EXPECT_EQ(read(Range(3, 34)), 4U);
  EXPECT_EQ(read(Range(3, 20)), 1U);  // its last token's logits are wanted
  ASSERT_TRUE(model->Generate(Range(9, 4), Greedy(2), {}, sink_));
  EXPECT_EQ(read(Range(3, 20)), 20U);  // another text came between
}

TEST_F(Neural, LikelihoodsRefuseWhatCannotBe) {
  const auto model = OpenRandom({.context = 16});
  const auto error = [&](const TokenIds& prompt, const TokenIds& more) {
    return ErrorOf(
        model->LogLikelihoods(prompt, {{more}}, {}, sink_).map([](auto) {}));
  };
  EXPECT_EQ(error({}, {3}), "the prompt is empty");
  EXPECT_EQ(error({3}, {}), "a continuation is empty");
  EXPECT_EQ(error({3}, {320}), "token 320 is not in the vocabulary");
  EXPECT_EQ(error(Range(3, 10), Range(3, 8)),
            "prompt and continuation has 17 tokens, the context holds 16");
}

Vectors OneByOne(NeuralModel& model, const std::vector<TokenIds>& texts) {
  NullSink sink;
  Vectors vectors;
  for (const TokenIds& text : texts)
    vectors.push_back(model.Embed({{text}}, true, {}, sink).value().at(0));
  return vectors;
}

TEST_F(Neural, EmbedsInBatchesAsOneByOne) {
  for (const char* architecture : {"bert", "llama"}) {
    const RandomNetwork network{.architecture = architecture};
    const auto batched = OpenRandom(
        {.sequences = 8, .micro_batch = 64, .vectors = true}, network);
    EXPECT_EQ(batched->info().generates, network.architecture == "llama");
    Recorder recorder;
    const Vectors vectors = batched->Embed(Texts(), true, {}, recorder).value();
    ExpectNear(vectors, OneByOne(*batched, Texts()));
    EXPECT_EQ(recorder.tokens[Phase::kPrefill], 243U);
    EXPECT_LT(recorder.steps[Phase::kPrefill], 5U);
    for (const auto& vector : vectors) {
      EXPECT_THAT(vector, SizeIs(64));
      EXPECT_NEAR(
          std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0),
          1, 1e-5);
    }
    EXPECT_GT(std::abs(vectors[0][0] - vectors[1][0]), 1e-6);
  }
}

TEST_F(Neural, EmbedsWhatFitsOfALongText) {
  const auto model = OpenRandom({}, {.architecture = "bert", .context = 32});
  TokenIds kept = Range(30, 32);
  TokenIds text = Range(30, 31);
  text.insert(text.end(), 100, TokenId{9});
  text.push_back(kept.back());  // says that it ends
  ExpectNear(model->Embed({{text}}, false, {}, sink_).value(),
             model->Embed({{kept}}, false, {}, sink_).value());
  EXPECT_EQ(
      ErrorOf(model->Embed({{kept, {}}}, true, {}, sink_).map([](auto) {})),
      "text 2 is empty");
  EXPECT_THAT(model->Embed({}, true, {}, sink_).value(), SizeIs(0));
  EXPECT_EQ(
      ErrorOf(model->Generate(kept, Greedy(1), {}, sink_).map([](auto) {})),
      path_ + " is an encoder: it continues no text");
  EXPECT_EQ(ErrorOf(TryOpen(path_, {.context = 33}).map([](auto&&) {})),
            path_ + " has places for 32 tokens, not for 33");
}

TEST_F(Neural, ClassifiesWithItsHead) {
  const auto model =
      OpenRandom({.sequences = 4}, {.architecture = "bert",
                                    .pooling = 4,
                                    .labels = {"ham", "spam", "none"}});
  EXPECT_THAT(model->info().labels, ElementsAre("ham", "spam", "none"));
  const Vectors logits = model->Classify(Texts(), {}, sink_).value();
  ASSERT_THAT(logits, SizeIs(9));
  EXPECT_THAT(logits[0], SizeIs(3));
  Vectors single;
  for (const TokenIds& text : Texts())
    single.push_back(model->Classify({{text}}, {}, sink_).value().at(0));
  ExpectNear(logits, single);
  EXPECT_EQ(ErrorOf(model->Embed(Texts(), true, {}, sink_).map([](auto) {})),
            path_ + " classifies texts: it has no vectors of them");
  EXPECT_EQ(
      ErrorOf(OpenRandom()->Classify(Texts(), {}, sink_).map([](auto) {})),
      path_ + " has no classification head");
}

TEST_F(Neural, RunsAsItsSettingsSay) {
  const RandomNetwork network{.heads = 2};
  const TokenIds prompt = Range(3, 30);
  const auto tokens = [&](const NeuralSettings& settings) {
    return OpenRandom(settings, network)
        ->Generate(prompt, Greedy(3), {}, sink_)
        .value()
        .tokens;
  };
  const TokenIds expected = tokens({});
  EXPECT_EQ(tokens({.threads = 2}), expected);
  EXPECT_EQ(tokens({.threads = 1, .batch_threads = 2, .poll = 0}), expected);
  EXPECT_EQ(tokens({.batch = 7, .micro_batch = 3, .repack = false}), expected);
  EXPECT_EQ(tokens({.kv_type = "f32", .flash_attention = "off"}), expected);
  for (const std::string_view type : kKeyValueTypes)
    EXPECT_THAT(tokens({.kv_type = std::string(type), .flash_attention = "on"}),
                SizeIs(3))
        << type;
  EXPECT_EQ(tokens({.sequences = 9, .batch = 1, .micro_batch = 1}), expected);
  EXPECT_THAT(OpenRandom({.context = 1})
                  ->Generate(Range(3, 1), Greedy(9), {}, sink_)
                  .value()
                  .tokens,
              SizeIs(1));
  const auto error = [&](const NeuralSettings& settings) {
    return ErrorOf(TryOpen(path_, settings).map([](auto&&) {}));
  };
  EXPECT_EQ(error({.kv_type = "q2"}), "unknown type 'q2' of keys and values");
  EXPECT_EQ(error({.flash_attention = "no"}), "unknown flash attention 'no'");
  EXPECT_EQ(error({.threads = 600}), "600 threads cannot be had");
  EXPECT_EQ(error({.sequences = 0}), "sequences = 0");
  EXPECT_EQ(error({.poll = 101}), "poll = 101");
  EXPECT_EQ(error({.cpus = "0-x"}), "'x' is not a CPU");
  EXPECT_EQ(error({.kv_type = "q8_0", .flash_attention = "off"}),
            "llama.cpp cannot set up the network: quantized V cache requires "
            "flash_attn to be enabled");
}

// Every other key begins with its name.
TEST_F(Neural, TheArchitectureIsAskedForFirst) {
  GgufFile file = ReadGguf(Write({}, "whole.gguf")).value();
  const auto refusal = [&](const std::string& architecture) {
    for (auto& [key, value] : file.metadata)
      if (key == "general.architecture") value = architecture;
    WriteZeros(file, path_);
    const auto opened = TryOpen(path_);
    return opened ? Error{} : opened.error();
  };
  const std::string version(FindNeuralEngine().value()->version());
  EXPECT_EQ(refusal("lama").message,
            path_ + ": architecture 'lama' is not one that llama.cpp " +
                version + " has, did you mean 'llama'?");
  EXPECT_THAT(refusal("lama").hint, HasSubstr("such as llama, qwen3"));
  EXPECT_EQ(refusal("perceptron").message,
            path_ + ": architecture 'perceptron' is not one that llama.cpp " +
                version + " has");
  EXPECT_EQ(refusal("qwen3").message,
            path_ +
                ": 'qwen3.context_length' is missing; "
                "'general.architecture' is 'qwen3'");
  EXPECT_EQ(refusal("").message,
            path_ + ": 'general.architecture' is missing: which model it is");
}

TEST_F(Neural, RefusesWhatIsNoNetwork) {
  EXPECT_THAT(ErrorOf(TryOpen("/none.gguf").map([](auto&&) {})),
              HasSubstr("cannot read /none.gguf: No such file"));
  EXPECT_THAT(ErrorOf(TryOpen(folder_.Write("t", "text")).map([](auto&&) {})),
              HasSubstr("not a GGUF file"));
  // Sound by itself, but a tensor of its architecture is missing.
  GgufFile file = ReadGguf(Write({}, "whole.gguf")).value();
  std::erase_if(file.tensors, [](const GgufTensor& tensor) {
    return tensor.name == "blk.1.ffn_up.weight";
  });
  WriteZeros(file, path_);
  const auto opened = TryOpen(path_);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message,
              HasSubstr("llama.cpp cannot load " + path_));
  EXPECT_THAT(opened.error().message, HasSubstr("blk.1.ffn_up.weight"));
  EXPECT_THAT(opened.error().hint, HasSubstr("convert it again"));
  // A stop while loading.
  std::stop_source source;
  source.request_stop();
  CallOptions call;
  call.stop = source.get_token();
  const auto stopped = FindNeuralEngine().value()->Open(Write({}, "whole.gguf"),
                                                        {}, {}, call, sink_);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
}

// -- Quantization ----------------------------------------------------------

class Quantize : public Neural {
 protected:
  Quantize() {
    path_ = Write({.width = 256, .heads = 4, .inner = 512}, "f32.gguf");
    to_ = folder_.path() + "/small.gguf";
  }
  Status Run(const QuantizeOptions& options) {
    return FindNeuralEngine().value()->Quantize(path_, to_, options);
  }
  // The same by the library alone.
  std::string Reference(llama_model_quantize_params params) {
    const std::string path = folder_.path() + "/reference.gguf";
    params.nthread = 2;
    EXPECT_EQ(llama_model_quantize(path_.c_str(), path.c_str(), &params), 0U);
    return ReadFile(path).value();
  }
  size_t Files() const {
    return static_cast<size_t>(
        std::distance(std::filesystem::directory_iterator(folder_.path()), {}));
  }
  std::string to_;
};

TEST_F(Quantize, WritesWhatTheLibraryWrites) {
  const std::pair<const char*, llama_ftype> types[] = {
      {"q4_k_m", LLAMA_FTYPE_MOSTLY_Q4_K_M},
      {"Q8_0", LLAMA_FTYPE_MOSTLY_Q8_0},
      {"bf16", LLAMA_FTYPE_MOSTLY_BF16},
      {"q4_0", LLAMA_FTYPE_MOSTLY_Q4_0},
      {"iq4_nl", LLAMA_FTYPE_MOSTLY_IQ4_NL}};
  for (const auto& [name, type] : types) {
    ASSERT_TRUE(Run({.type = name})) << name;
    llama_model_quantize_params params = llama_model_quantize_default_params();
    params.ftype = type;
    EXPECT_EQ(ReadFile(to_).value(), Reference(params)) << name;
  }
  // Some tensors otherwise, and all of one type.
  ASSERT_TRUE(Run({.type = "q4_k_m", .tensor_types = {{"ffn_down", "q8_0"}}}));
  const GgufFile mixed = ReadGguf(to_).value();
  EXPECT_EQ(mixed.FindTensor("blk.1.ffn_down.weight")->type, GgmlType::kQ8_0);
  ASSERT_TRUE(Run({.type = "q4_k_m", .pure = true}));
  const GgufFile pure = ReadGguf(to_).value();
  for (const GgufTensor& tensor : pure.tensors)
    EXPECT_TRUE(tensor.dimensions < 2 || tensor.type == GgmlType::kQ4K);
}

TEST_F(Quantize, AQuantizedNetworkRuns) {
  ASSERT_TRUE(Run({.type = "q8_0"}));
  const auto model = Open(to_);
  EXPECT_EQ(model->info().file_type, "Q8_0");
  EXPECT_EQ(model->Generate(Range(3, 9), Greedy(8), {}, sink_).value().tokens,
            ReferenceGreedy(to_, Range(3, 9), 8));
  // Not once more, unless that is asked for.
  path_ = to_;
  to_ = folder_.path() + "/smaller.gguf";
  EXPECT_THAT(ErrorOf(Run({.type = "q4_0"})),
              HasSubstr("requantizing from type q8_0 is disabled"));
  EXPECT_FALSE(std::filesystem::exists(to_));
  EXPECT_TRUE(Run({.type = "q4_0", .requantize = true}));
}

TEST_F(Quantize, LeavesNothingBehindWhenItFails) {
  const size_t files = Files();
  EXPECT_EQ(ErrorOf(Run({.type = "q4_k_x"})),
            "unknown file type 'q4_k_x', did you mean 'q4_k_s'?");
  for (const char* few : {"iq1_s", "iq2_xxs", "iq2_xs", "q2_k_s"})
    EXPECT_EQ(
        ErrorOf(Run({.type = few})),
        std::string(few) + " needs an importance matrix, for so few bits");
  EXPECT_EQ(ErrorOf(Run({.type = "nvfp4"})),
            "llama.cpp cannot quantize to nvfp4");
  EXPECT_EQ(ErrorOf(Run({.type = "mxfp4_moe"})),
            path_ + " has no experts, which mxfp4_moe is for");
  EXPECT_EQ(ErrorOf(Run({.type = "q8_0", .tensor_types = {{"qq", "q8_0"}}})),
            "no tensor of " + path_ + " matches 'qq'");
  EXPECT_THAT(ErrorOf(Run({.type = "q8_0", .tensor_types = {{"(", "q8_0"}}})),
              HasSubstr("'(' is no regular expression"));
  EXPECT_EQ(ErrorOf(Run({.type = "q8_0", .tensor_types = {{"a", "q99"}}})),
            "unknown tensor type 'q99'");
  std::stop_source source;
  source.request_stop();
  const Status stopped = Run({.type = "q8_0", .stop = source.get_token()});
  EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
  const std::string to = std::exchange(to_, path_);
  EXPECT_EQ(ErrorOf(Run({.type = "q8_0"})),
            path_ + " is the file that is to be quantized");
  to_ = "/none/small.gguf";
  EXPECT_THAT(ErrorOf(Run({.type = "q8_0"})), HasSubstr("/none/small.gguf"));
  // A disk that is full.
  to_ = to;
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit full{200'000, before.rlim_max};
  std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &full);
  const std::string error = ErrorOf(Run({.type = "q8_0"}));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(error, "cannot write " + to_ + ": the disk takes no more");
  EXPECT_EQ(Files(), files);
}

// The first layer is given its normalized embeddings: known without a network.
TEST_F(Quantize, ImportanceIsTheMeanSquareOfWhatIsMultiplied) {
  const auto model = Open(path_, {.context = 64});
  TokenIds text = Range(3, 64);
  text[0] = 1;  // what every chunk begins with
  const auto importance = model->MeasureImportance(text, {}, recorder_).value();
  const auto found =
      std::ranges::find(importance, "blk.0.attn_q.weight", &Importance::tensor);
  ASSERT_NE(found, importance.end());

  const GgufFile file = ReadGguf(path_).value();
  const std::string bytes = ReadFile(path_).value();
  const auto floats = [&](const char* name) {
    const GgufTensor* tensor = file.FindTensor(name);
    std::vector<float> numbers(tensor->elements());
    std::memcpy(numbers.data(), &bytes[file.data_offset + tensor->offset],
                tensor->bytes);
    return numbers;
  };
  const auto embeddings = floats("token_embd.weight");
  const auto norm = floats("blk.0.attn_norm.weight");
  std::vector<double> expected(256);
  for (const TokenId token : text) {
    const float* row = &embeddings[static_cast<size_t>(token) * 256];
    double square = 0;
    for (size_t i = 0; i < 256; ++i) square += double{row[i]} * double{row[i]};
    for (size_t i = 0; i < 256; ++i)
      expected[i] += std::pow(double{row[i]} * double{norm[i]}, 2) /
                     (square / 256 + 1e-5) / 64;
  }
  for (size_t i = 0; i < 256; ++i)
    EXPECT_NEAR(double{found->values[i]}, expected[i], 1e-3 * expected[i]);
  // With it, very few bits are allowed, as the library writes them.
  ASSERT_TRUE(Run({.type = "iq2_xxs", .importance = importance}));
  std::vector<llama_model_imatrix_data> data;
  for (const Importance& one : importance)
    data.push_back({one.tensor.c_str(), one.values.data(), one.values.size()});
  data.push_back({nullptr, nullptr, 0});
  llama_model_quantize_params params = llama_model_quantize_default_params();
  params.ftype = LLAMA_FTYPE_MOSTLY_IQ2_XXS;
  params.imatrix = data.data();
  EXPECT_EQ(ReadFile(to_).value(), Reference(params));
  EXPECT_EQ(
      ErrorOf(
          model->MeasureImportance(Range(3, 9), {}, sink_).map([](auto) {})),
      "the text has 9 tokens, importance needs 64");
}

// -- Parts ------------------------------------------------------------------

TokenId PickOnce(const GenerateOptions& options, std::vector<float> logits) {
  return Sampler(options).Pick(logits);
}

TEST(Sampler, TakesTheLikeliestWhenNothingElseIsLeft) {
  const std::vector<float> logits = {1, 3, NAN, 3, 2};
  EXPECT_EQ(PickOnce({}, logits), 1);
  EXPECT_EQ(PickOnce({.temperature = 5, .top_k = 1}, logits), 1);
  EXPECT_EQ(PickOnce({.temperature = 5, .top_k = 0, .top_p = 0}, logits), 1);
  EXPECT_EQ(PickOnce({.temperature = 1}, {NAN, NAN}), 0);
}

TEST(Sampler, DrawsByProbability) {
  // 0.5, 0.25, 0.15, 0.1.
  const std::vector<float> logits = {std::log(0.1F), std::log(0.5F),
                                     std::log(0.15F), std::log(0.25F)};
  constexpr int kDraws = 20000;
  const auto shares = [&](const GenerateOptions& options) {
    Sampler sampler(options);
    std::vector<double> share(4);
    for (int i = 0; i < kDraws; ++i)
      share[static_cast<size_t>(sampler.Pick(logits))] += 1.0 / kDraws;
    return share;
  };
  const auto near = [](std::vector<double> share) {
    return testing::Pointwise(testing::DoubleNear(0.015), std::move(share));
  };
  const GenerateOptions all{
      .temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0};
  EXPECT_THAT(shares(all), near({0.1, 0.5, 0.15, 0.25}));
  GenerateOptions some = all;
  some.top_k = 2;
  EXPECT_THAT(shares(some), near({0, 2 / 3.0, 0, 1 / 3.0}));
  some = all;
  some.top_p = 0.8;  // reached by three
  EXPECT_THAT(shares(some), near({0, 5 / 9.0, 1.5 / 9, 2.5 / 9}));
  some = all;
  some.min_p = 0.4;  // of 0.5
  EXPECT_THAT(shares(some), near({0, 2 / 3.0, 0, 1 / 3.0}));
  some = all;
  some.temperature = 0.5;  // squares
  EXPECT_THAT(shares(some), near({0.01 / 0.345, 0.25 / 0.345, 0.0225 / 0.345,
                                  0.0625 / 0.345}));
}

TEST(TextStream, HoldsBackWhatHasNotEnded) {
  EXPECT_EQ(WholeCharacters("abc"), 3U);
  EXPECT_EQ(WholeCharacters("a\xC3"), 1U);
  EXPECT_EQ(WholeCharacters("a\xC3\xA9"), 3U);
  EXPECT_EQ(WholeCharacters("\xE2\x82"), 0U);
  EXPECT_EQ(WholeCharacters("\xF0\x9F\x98"), 0U);
  EXPECT_EQ(WholeCharacters("\xF0\x9F\x98\x80"), 4U);
  // Broken bytes wait for nothing.
  EXPECT_EQ(WholeCharacters("\xFF"), 1U);
  EXPECT_EQ(WholeCharacters("\xA9"), 1U);
  EXPECT_EQ(WholeCharacters("\xC0"), 1U);

  std::vector<std::string> pieces;
  const std::function<bool(std::string_view)> keep = [&](std::string_view t) {
    pieces.emplace_back(t);
    return true;
  };
  TextStream stream(keep);
  for (const char* piece : {"a", "\xE2", "\x82", "\xAC", "b\xC3"})
    EXPECT_TRUE(stream.Add(piece));
  EXPECT_TRUE(stream.Finish());
  EXPECT_THAT(pieces, ElementsAre("a", "\xE2\x82\xAC", "b", "\xEF\xBF\xBD"));
  EXPECT_EQ(stream.Take(),
            "a\xE2\x82\xAC"
            "b\xEF\xBF\xBD");
}

// Wherever tokens end, the text is that of the bytes as a whole.
TEST(TextStream, BytesOfNoCharacterAreReplaced) {
  std::string bytes = "a\xE2\x82 \xF0\x9F\x98\x80\xFF\xC3\xA9\xF4\x90\x80";
  bytes += '\0';
  bytes += "\xED\xA0\x80z\xE2\x82";
  const std::function<bool(std::string_view)> nobody;
  for (size_t length = 1; length <= bytes.size(); ++length) {
    TextStream stream(nobody);
    for (size_t at = 0; at < bytes.size(); at += length)
      EXPECT_TRUE(stream.Add(bytes.substr(at, length)));
    EXPECT_TRUE(stream.Finish());
    EXPECT_EQ(stream.Take(), ReplaceUnusableBytes(bytes)) << length;
  }
}

TEST_F(Neural, WritesValidTextWhateverItsTokensAre) {
  const auto model = OpenRandom();  // most tokens are single bytes
  GenerateOptions options = Greedy(60);
  options.temperature = 100;
  options.top_k = 0;
  options.top_p = 1;
  options.min_p = 0;
  std::string streamed;
  const auto keep = [&](std::string_view text) {
    EXPECT_EQ(FirstUnusableByte(text), text.npos);
    streamed += text;
    return true;
  };
  const Generation generation =
      model->Generate(Range(3, 5), options, keep, sink_).value();
  EXPECT_EQ(streamed, generation.text);
  EXPECT_THAT(streamed, HasSubstr(std::string(kReplacementCharacter)));
}

TEST(ThreadPools, ReadsListsOfCpus) {
  const int cpu = UsableCpus().front();
  EXPECT_THAT(ParseCpus(std::to_string(cpu)).value(), ElementsAre(cpu));
  EXPECT_THAT(ParseCpus(fmt::format("{0}-{0}", cpu)).value(), ElementsAre(cpu));
  EXPECT_THAT(ParseCpus("").value(), SizeIs(0));
  for (const char* bad : {"x", "1-", "-1", "0,,1", "0 ", "1.5"})
    EXPECT_FALSE(ParseCpus(bad)) << bad;
  EXPECT_EQ(ParseCpus("99999").error().message,
            "CPU 99999 is none that this process may use");
}

}  // namespace
}  // namespace modicum
