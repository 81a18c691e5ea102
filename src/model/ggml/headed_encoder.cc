// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/headed_encoder.h"

#include <fmt/format.h>
#include <llama.h>

#include <algorithm>
#include <numeric>

#include "model/ggml/head_graph.h"
#include "model/ggml/vocabulary.h"
#include "model/gguf/gguf_types.h"

namespace modicum {

namespace {

EncoderShape HeadedShape(const EncoderBase& base, const HeadFile& head) {
  EncoderShape shape = base.shape;
  shape.head = head.kind;
  shape.labels = static_cast<uint32_t>(head.labels.size());
  shape.tied = head.tied();
  return shape;
}

Result<uint32_t> HeadedContext(const EncoderBase& base,
                               const NeuralSettings& settings) {
  const auto wanted = static_cast<uint32_t>(std::max(0, settings.context));
  if (wanted <= base.shape.context)
    return wanted > 0 ? wanted : base.shape.context;
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("{} has places for {} tokens, not for {}",
                          base.file.name, base.shape.context, wanted),
              fmt::format("use --context {} or less", base.shape.context));
}

NeuralInfo HeadedInfo(const EncoderBase& base, const HeadFile& head) {
  NeuralInfo info;
  info.path = base.file.name;
  info.engine = "ggml";
  info.engine_version = llama_version();
  info.architecture = base.file.architecture();
  info.name = base.file.Text("general.name").value_or("");
  info.file_type = "F32";  // as it is computed
  info.parameters = base.file.parameters() + head.file.parameters();
  info.bytes = base.file.bytes() + head.file.bytes();
  info.layers = base.shape.layers;
  info.width = base.shape.width;
  info.context_trained = base.shape.context;
  info.vocabulary = base.shape.vocabulary;
  info.labels = head.labels;
  return info;
}

// The longest first, so that equal lengths stand together.
std::vector<const AskedText*> LongestFirst(std::span<const AskedText> texts) {
  std::vector<const AskedText*> order;
  for (const AskedText& text : texts) order.push_back(&text);
  std::stable_sort(order.begin(), order.end(),
                   [](const AskedText* a, const AskedText* b) {
                     return a->tokens.size() > b->tokens.size();
                   });
  return order;
}

class GgmlHeadedEncoder final : public HeadedEncoder {
 public:
  // `own`: the weights where they are its own, else null.
  GgmlHeadedEncoder(const EncoderWeights& weights,
                    std::unique_ptr<const EncoderWeights> own, NeuralInfo info,
                    TextMarks marks, ThreadPools pools,
                    std::unique_ptr<WordPieceTokenizer> tokenizer,
                    size_t together)
      : info_(std::move(info)),
        marks_(marks),
        tokenizer_(std::move(tokenizer)),
        together_(together),
        pools_(std::move(pools)),
        own_(std::move(own)),
        weights_(weights),
        graph_(weights_, pools_) {}

  const NeuralInfo& info() const override { return info_; }
  HeadKind kind() const override { return *weights_.shape().head; }
  TextMarks marks() const override { return marks_; }
  Result<TokenIds> Pieces(std::string_view text) const override {
    return tokenizer_->Pieces(text);
  }
  std::string Piece(TokenId token) const override {
    return tokenizer_->Piece(token);
  }

  Result<std::vector<std::vector<float>>> Logits(
      std::span<const AskedText> texts, const CallOptions& call,
      PhaseSink& sink) override {
    for (const AskedText& text : texts)
      MODICUM_RETURN_IF_ERROR(CheckText(text));
    std::vector<std::vector<float>> all(texts.size());
    const std::vector<const AskedText*> order = LongestFirst(texts);
    sink.Begin(Phase::kPrefill);
    for (size_t at = 0; at < order.size();) {
      const auto part = std::span(order).subspan(at, Fitting(order, at));
      MODICUM_TRY(const auto logits, graph_.Logits(part, call));
      std::vector<SeqWork> work;
      auto from = logits.begin();
      for (const AskedText* text : part) {
        const auto index = static_cast<size_t>(text - texts.data());
        const auto to = from + Numbers(*text);
        all[index].assign(from, to);
        from = to;
        work.push_back({RequestId{index},
                        static_cast<uint32_t>(text->tokens.size()), 0, 0});
      }
      sink.Step(Phase::kPrefill, work);
      at += part.size();
    }
    return all;
  }

 private:
  int64_t Numbers(const AskedText& text) const {
    const size_t rows =
        text.places.empty() ? text.tokens.size() : text.places.size();
    const EncoderShape& shape = weights_.shape();
    return static_cast<int64_t>(
        rows * HeadShape{kind(), shape.width, shape.vocabulary, shape.labels}
                   .outputs());
  }

  // How many from `at` on go together.
  size_t Fitting(std::span<const AskedText* const> order, size_t at) const {
    size_t count = 1;
    size_t tokens = order[at]->tokens.size();
    while (at + count < order.size() &&
           tokens + order[at + count]->tokens.size() <= together_)
      tokens += order[at + count++]->tokens.size();
    return count;
  }

  Status CheckText(const AskedText& text) const {
    if (text.tokens.empty())
      return Fail(ErrorCode::kInvalidInput, "a text is empty",
                  "give it at least one token");
    if (text.tokens.size() > info_.context)
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("a text has {} tokens, the context holds {}",
                              text.tokens.size(), info_.context),
                  "shorten it");
    for (const TokenId token : text.tokens)
      if (token < 0 || static_cast<uint32_t>(token) >= info_.vocabulary)
        return Fail(ErrorCode::kInvalidInput,
                    fmt::format("token {} is not in the vocabulary", token));
    for (const uint32_t place : text.places)
      MODICUM_CHECK(place < text.tokens.size());
    return {};
  }

  const NeuralInfo info_;
  const TextMarks marks_;
  const std::unique_ptr<WordPieceTokenizer> tokenizer_;
  const size_t together_;  // tokens in one forward pass, about
  const ThreadPools pools_;
  const std::unique_ptr<const EncoderWeights> own_;
  const EncoderWeights& weights_;
  HeadGraph graph_;
};

// Of the tokens that its answers cannot be had without.
Status CheckMarks(const TextMarks& marks, HeadKind kind,
                  const std::string& path) {
  const auto missing = [&](std::string_view which) {
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: the vocabulary has no {} token", path, which),
                "take the model's whole tokenizer.json and import it again");
  };
  if (!marks.begin) return missing("class");
  if (!marks.separator) return missing("separator");
  if (kind == HeadKind::kFillMask && !marks.mask) return missing("mask");
  return {};
}

}  // namespace

Result<std::unique_ptr<HeadedEncoder>> OpenHeadedEncoder(
    const EncoderBase& base, const HeadFile& head,
    const NeuralSettings& settings) {
  if (!settings.lora.empty())
    return Fail(ErrorCode::kInvalidInput,
                "adapters are not computed with a head", "leave out --lora");
  NeuralInfo info = HeadedInfo(base, head);
  MODICUM_TRY(info.context, HeadedContext(base, settings));
  MODICUM_TRY(ThreadPools pools, ThreadPools::Start(settings));
  MODICUM_TRY(auto tokenizer, WordPieceTokenizer::Open(base.vocabulary));
  TextMarks marks = tokenizer->marks();
  marks.unknown = base.unknown;
  MODICUM_RETURN_IF_ERROR(CheckMarks(marks, head.kind, base.file.name));
  auto weights = std::make_unique<EncoderWeights>(HeadedShape(base, head),
                                                  Learns::kNothing);
  MODICUM_RETURN_IF_ERROR(LoadBody(base, *weights));
  MODICUM_RETURN_IF_ERROR(LoadHead(head, *weights));
  const EncoderWeights& loaded = *weights;
  return std::make_unique<GgmlHeadedEncoder>(
      loaded, std::move(weights), std::move(info), marks, std::move(pools),
      std::move(tokenizer),
      static_cast<size_t>(std::max(1, settings.micro_batch)));
}

Result<std::unique_ptr<HeadedEncoder>> HeadedEncoderOn(
    const EncoderWeights& weights, const GgufMetadata& vocabulary,
    TokenId unknown, const std::vector<std::string>& labels, int threads,
    const std::string& path) {
  NeuralSettings settings;
  settings.threads = threads;
  const EncoderShape& shape = weights.shape();
  NeuralInfo info;
  info.path = path;
  info.context = shape.context;
  info.vocabulary = shape.vocabulary;
  info.labels = labels;
  MODICUM_TRY(ThreadPools pools, ThreadPools::Start(settings));
  MODICUM_TRY(auto tokenizer, WordPieceTokenizer::Open(vocabulary));
  TextMarks marks = tokenizer->marks();
  marks.unknown = unknown;
  MODICUM_RETURN_IF_ERROR(CheckMarks(marks, *shape.head, path));
  return std::make_unique<GgmlHeadedEncoder>(
      weights, nullptr, std::move(info), marks, std::move(pools),
      std::move(tokenizer), static_cast<size_t>(settings.micro_batch));
}

}  // namespace modicum
