// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/encoder_family.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/hash.h"
#include "model/ggml/backends.h"
#include "model/ggml/encoder_base.h"
#include "model/ggml/encoder_file.h"
#include "model/ggml/encoder_pretraining.h"
#include "model/ggml/encoder_training.h"
#include "model/ggml/vocabulary.h"
#include "model/network_file.h"
#include "model/neural_classifier.h"
#include "model/params.h"
#include "model/payload.h"
#include "model/pretraining_texts.h"
#include "model/text_features.h"
#include "model/training_stop.h"

namespace modicum {

namespace {

// Of the training rows, held out to see when to stop.
constexpr double kHeldOut = 0.1;
// The width of an attention head.
constexpr int64_t kHeadWidth = 32;
// Unless said otherwise: so many passes over the texts, and more of them where
// they make fewer steps.
constexpr int64_t kFewestEpochs = 10;
constexpr int64_t kMostEpochs = 60;
constexpr int64_t kEnoughSteps = 600;
// Of the time there is, what pretraining may take.
constexpr double kPretrainingShare = 0.5;

struct EncoderWish {
  EncoderSettings settings;
  PretrainingSettings pretraining;  // 0 epochs: none
  size_t vocabulary = 0;
  std::optional<EncoderBase> base;
  Learns learns = Learns::kAll;
};

// What a base already has, and what only a base has.
Status CheckBaseParams(const Params& params, bool base) {
  if (!base) {
    if (!params.contains(kFrozenParam)) return {};
    return Fail(ErrorCode::kInvalidInput,
                "parameter frozen: there is no base to freeze",
                "name one in the task file: [encoder] base = \"bert.gguf\"");
  }
  for (const char* own : {"layers", "width", "vocabulary", "context"})
    if (params.contains(own))
      return Fail(ErrorCode::kInvalidInput,
                  std::string("parameter ") + own + ": the base has its own",
                  "leave it out");
  return {};
}

// `rows`: as many texts there are to learn from.
Result<EncoderWish> ParseEncoderParams(const Params& params, size_t rows) {
  static constexpr std::string_view kKnown[] = {"layers",
                                                "width",
                                                "vocabulary",
                                                "context",
                                                "epochs",
                                                "rate",
                                                "batch",
                                                "dropout",
                                                "decay",
                                                "word_dropout",
                                                "label_smoothing",
                                                "patience",
                                                kNetworkParam,
                                                kFrozenParam,
                                                kNetworkHashParam,
                                                kPretrainParam,
                                                kUnlabelledParam,
                                                kUnlabelledHashParam,
                                                kUnlabelledTextParam};
  MODICUM_RETURN_IF_ERROR(CheckParamNames(params, "encoder", kKnown));
  const bool base = params.contains(kNetworkParam);
  const bool frozen = Get(params, kFrozenParam, false);
  MODICUM_RETURN_IF_ERROR(CheckBaseParams(params, base));
  const auto integer = [&params](std::string_view name, int64_t fallback,
                                 int64_t low, int64_t high) {
    return IntegerParam(params, name, fallback, low, high);
  };
  MODICUM_TRY(const int64_t layers, integer("layers", 1, 1, 48));
  MODICUM_TRY(const int64_t width, integer("width", 64, kHeadWidth, 4096));
  if (width % kHeadWidth != 0)
    return Fail(ErrorCode::kInvalidInput,
                "parameter width = " + std::to_string(width) +
                    ": a multiple of " + std::to_string(kHeadWidth) +
                    " expected");
  MODICUM_TRY(const int64_t vocabulary,
              integer("vocabulary", 4000, 100, 100000));
  MODICUM_TRY(const int64_t context, integer("context", 256, 8, 4096));
  MODICUM_TRY(const int64_t batch, integer("batch", 32, 1, 4096));
  // Few texts are read more often.
  const auto steps = static_cast<int64_t>(rows) / batch + 1;
  const int64_t enough =
      std::clamp(kEnoughSteps / steps, kFewestEpochs, kMostEpochs);
  MODICUM_TRY(const int64_t epochs, integer("epochs", enough, 1, 10000));
  MODICUM_TRY(const int64_t patience,
              integer("patience", std::max<int64_t>(1, epochs / 2), 1, 10000));
  MODICUM_TRY(const int64_t pretrain,
              integer(kPretrainParam, 0, 0, frozen ? 0 : 10000));
  EncoderWish wish;
  EncoderSettings& settings = wish.settings;
  // What was learnt already is not to be thrown away in a few steps.
  MODICUM_TRY(
      settings.rate,
      NumberParam(params, "rate", base && !frozen ? 1e-4 : 1e-3, 1e-6, 1));
  MODICUM_TRY(settings.adamw.decay, NumberParam(params, "decay", 0.01, 0, 10));
  MODICUM_TRY(const double dropout,
              NumberParam(params, "dropout", base ? 0.1 : 0.3, 0, 0.9));
  // A frozen body reads each text once, as it is.
  MODICUM_TRY(
      settings.word_dropout,
      NumberParam(params, "word_dropout", base ? 0 : 0.1, 0, frozen ? 0 : 0.9));
  MODICUM_TRY(settings.label_smoothing,
              NumberParam(params, "label_smoothing", 0, 0, 0.9));
  settings.dropout.embedding = settings.dropout.hidden =
      settings.dropout.pooled = static_cast<float>(dropout);
  settings.epochs = static_cast<uint32_t>(epochs);
  settings.patience = static_cast<uint32_t>(patience);
  settings.batch = static_cast<uint32_t>(batch);
  wish.pretraining.epochs = static_cast<uint32_t>(pretrain);
  wish.pretraining.batch = settings.batch;
  wish.pretraining.rate = settings.rate;
  wish.pretraining.adamw = settings.adamw;
  settings.shape.layers = static_cast<uint32_t>(layers);
  settings.shape.width = static_cast<uint32_t>(width);
  settings.shape.heads = static_cast<uint32_t>(width / kHeadWidth);
  settings.shape.feed_forward = static_cast<uint32_t>(2 * width);
  settings.shape.context = static_cast<uint32_t>(context);
  wish.vocabulary = static_cast<size_t>(vocabulary);
  if (!base) return wish;
  MODICUM_TRY(const std::string path, NetworkOf(params, kEncoderFamily));
  MODICUM_TRY(wish.base, ReadEncoderBase(path));
  settings.shape = wish.base->shape;
  settings.unknown = wish.base->unknown;
  if (frozen) wish.learns = Learns::kHead;
  return wish;
}

// The base's, or one learned from the texts.
Result<GgufMetadata> VocabularyOf(const EncoderWish& wish, const Dataset& data,
                                  std::span<const uint32_t> rows,
                                  std::span<const std::string> unlabelled,
                                  const Budget& budget) {
  if (wish.base) return wish.base->vocabulary;
  std::vector<std::string_view> texts(unlabelled.begin(), unlabelled.end());
  for (const uint32_t row : rows) {
    MODICUM_TRY(const std::string_view text, TextOf(data.items[row]));
    texts.push_back(text);
  }
  MODICUM_TRY(const auto tokens,
              LearnVocabulary(texts, wish.vocabulary, budget.stop));
  return DescribeVocabulary(tokens);
}

struct Sides {
  std::vector<uint32_t> learned, held_out;
};

// Holds out whole groups of near-duplicates, a share of each class.
Sides HoldOut(const Dataset& data, std::span<const uint32_t> rows,
              uint64_t seed) {
  std::map<uint64_t, std::vector<uint32_t>> groups;
  for (const uint32_t row : rows) groups[data.items[row].group].push_back(row);
  std::vector<std::vector<uint32_t>> order;
  for (auto& [group, members] : groups) order.push_back(std::move(members));
  Rng(seed).Shuffle(order);
  std::vector<double> wanted(data.labels.size());
  for (const uint32_t row : rows)
    wanted[static_cast<size_t>(data.items[row].label)] += kHeldOut;
  Sides sides;
  for (const std::vector<uint32_t>& group : order) {
    double& left = wanted[static_cast<size_t>(data.items[group[0]].label)];
    const auto size = static_cast<double>(group.size());
    std::vector<uint32_t>& side = size <= left ? sides.held_out : sides.learned;
    if (size <= left) left -= size;
    side.insert(side.end(), group.begin(), group.end());
  }
  std::sort(sides.learned.begin(), sides.learned.end());
  std::sort(sides.held_out.begin(), sides.held_out.end());
  return sides;
}

Result<EncoderExamples> Tokenize(const Dataset& data,
                                 std::span<const uint32_t> rows,
                                 const WordPieceTokenizer& tokenizer,
                                 const Budget& budget) {
  EncoderExamples examples;
  examples.labels = ClassesOf(data, rows);
  for (const uint32_t row : rows) {
    MODICUM_RETURN_IF_ERROR(CheckNotStopped(budget.stop));
    MODICUM_TRY(const std::string_view text, TextOf(data.items[row]));
    MODICUM_TRY(TokenIds tokens, tokenizer.Tokenize(text));
    examples.texts.push_back(std::move(tokens));
  }
  return examples;
}

// Those that are learned from, and those without labels.
Result<std::vector<TokenIds>> PretrainingTexts(
    const EncoderExamples& examples, std::span<const std::string> unlabelled,
    const WordPieceTokenizer& tokenizer, const Budget& budget) {
  std::vector<TokenIds> texts = examples.texts;
  for (const std::string& text : unlabelled) {
    MODICUM_RETURN_IF_ERROR(CheckNotStopped(budget.stop));
    MODICUM_TRY(TokenIds tokens, tokenizer.Tokenize(text));
    texts.push_back(std::move(tokens));
  }
  return texts;
}

Hash KeyOf(const EncoderExamples& examples, const Params& params,
           const Budget& budget, std::string_view stage) {
  Sha256 hash;
  hash.AddField(stage);
  hash.AddField(ToString(params));
  hash.AddField(std::to_string(budget.seed));
  for (size_t i = 0; i < examples.size(); ++i) {
    const TokenIds& text = examples.texts[i];
    hash.AddField({reinterpret_cast<const char*>(text.data()),
                   text.size() * sizeof(TokenId)});
    hash.AddField(std::to_string(examples.labels[i]));
  }
  return hash.Finish();
}

// All that one training has read.
struct Reading {
  std::vector<std::string> unlabelled = {};
  GgufMetadata vocabulary = {};
  std::unique_ptr<WordPieceTokenizer> tokenizer = nullptr;
  EncoderExamples examples = {}, held_out = {};
};

Result<Reading> ReadAll(const EncoderWish& wish, const Dataset& data,
                        std::span<const uint32_t> rows, const Params& params,
                        const Budget& budget) {
  Reading reading;
  const Sides sides = HoldOut(data, rows, budget.seed);
  MODICUM_TRY(reading.unlabelled, LoadUnlabelled(params));
  MODICUM_TRY(reading.vocabulary, VocabularyOf(wish, data, sides.learned,
                                               reading.unlabelled, budget));
  MODICUM_TRY(reading.tokenizer, WordPieceTokenizer::Open(reading.vocabulary));
  MODICUM_TRY(reading.examples,
              Tokenize(data, sides.learned, *reading.tokenizer, budget));
  MODICUM_TRY(reading.held_out,
              Tokenize(data, sides.held_out, *reading.tokenizer, budget));
  return reading;
}

// Learns the language, unless a training that goes on has done so.
Status PretrainFirst(const EncoderWish& wish, const Reading& reading,
                     const Params& params, const Budget& budget,
                     Checkpoint* checkpoint, const Hash& training,
                     EncoderWeights& weights) {
  if (wish.pretraining.epochs == 0) return {};
  if (checkpoint != nullptr) {
    MODICUM_TRY(const auto state, checkpoint->Load(training));
    if (state) return {};
  }
  MODICUM_TRY(const HidingRule rule,
              HidingRuleOf(reading.tokenizer->marks(),
                           reading.tokenizer->size(), wish.settings.unknown));
  MODICUM_TRY(const auto texts,
              PretrainingTexts(reading.examples, reading.unlabelled,
                               *reading.tokenizer, budget));
  Budget own = budget;
  own.wall = budget.wall * kPretrainingShare;
  return PretrainEncoder(
      weights, {wish.pretraining, texts, rule, own, checkpoint,
                KeyOf(reading.examples, params, budget, "pretraining")});
}

class EncoderTrainer final : public Trainer {
 public:
  std::string_view family() const override { return kEncoderFamily; }

  Status Accepts(const Dataset& data) const override {
    MODICUM_RETURN_IF_ERROR(CheckIsText(data, kEncoderFamily));
    return CheckClasses(data);
  }

  Result<TrainedModel> Train(const Dataset& data,
                             std::span<const uint32_t> rows,
                             const Params& params, const Budget& budget,
                             Checkpoint* checkpoint,
                             const std::string& directory,
                             PhaseSink& sink) override {
    sink.Begin(Phase::kPrepare);
    MODICUM_RETURN_IF_ERROR(OpenBackends());
    MODICUM_TRY(EncoderWish wish, ParseEncoderParams(params, rows.size()));
    MODICUM_RETURN_IF_ERROR(CheckTrainingRows(data, rows));
    MODICUM_TRY(const Reading reading,
                ReadAll(wish, data, rows, params, budget));
    sink.Begin(Phase::kTrain);
    const MonotonicTime end = SystemClock().Now() + budget.wall;
    EncoderShape& shape = wish.settings.shape;
    shape.vocabulary = static_cast<uint32_t>(reading.tokenizer->size());
    shape.labels = static_cast<uint32_t>(data.labels.size());
    MODICUM_RETURN_IF_ERROR(CheckNumbersFit(shape, wish.learns, budget));
    EncoderWeights weights(shape, wish.learns);
    if (wish.base) {
      weights.DrawHead(budget.seed);
      MODICUM_RETURN_IF_ERROR(LoadBody(*wish.base, weights));
    } else {
      weights.Draw(budget.seed);
    }
    const Hash key = KeyOf(reading.examples, params, budget, "training");
    MODICUM_RETURN_IF_ERROR(
        PretrainFirst(wish, reading, params, budget, checkpoint, key, weights));
    Budget left = budget;
    left.wall = end - SystemClock().Now();
    MODICUM_RETURN_IF_ERROR(
        TrainEncoder(weights, {wish.settings, reading.examples,
                               reading.held_out, left, checkpoint, key}));
    MODICUM_RETURN_IF_ERROR(SaveEncoder(weights, reading.vocabulary,
                                        data.labels,
                                        directory + "/" + kNetworkFile));
    return TrainedModel{{kNetworkFile}};
  }

  Result<std::unique_ptr<Model>> Load(const std::string& directory,
                                      const std::vector<std::string>& labels,
                                      PhaseSink& sink) override {
    return LoadEncoder(directory, labels, sink);
  }
};

}  // namespace

Trainer& EncoderFamily() {
  static EncoderTrainer trainer;
  return trainer;
}

}  // namespace modicum
