// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/headed_encoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/ggml/inference_graph.h"
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

NeuralInfo HeadedInfo(const EncoderBase& base, const HeadFile& head) {
  NeuralInfo info = EncoderInfo(base);
  info.file_type = "F32";  // as it is computed
  info.parameters += head.file.parameters();
  info.bytes += head.file.bytes();
  info.labels = head.labels;
  return info;
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
        graph_(weights_, pools_, GeluKind::kErf) {}

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
    MODICUM_RETURN_IF_ERROR(
        graph_.Logits(texts, together_, call, sink,
                      [&](size_t index, std::span<const float> rows) {
                        all[index].assign(rows.begin(), rows.end());
                      }));
    return all;
  }

 private:
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
  InferenceGraph graph_;
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
  MODICUM_TRY(info.context, EncoderContext(base, settings));
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
