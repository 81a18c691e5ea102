// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/bert_model.h"

#include <fmt/format.h>
#include <llama.h>

#include <algorithm>
#include <string_view>

#include "base/format.h"
#include "model/ggml/backends.h"
#include "model/ggml/blas.h"
#include "model/ggml/encoder_base.h"
#include "model/ggml/inference_graph.h"
#include "model/ggml/vectors.h"
#include "model/ggml/vocabulary.h"

namespace modicum {
namespace {

enum llama_pooling_type PoolingOf(const GgufFile& file) {
  const auto pooling = static_cast<enum llama_pooling_type>(
      file.Unsigned("bert.pooling_type").value_or(LLAMA_POOLING_TYPE_NONE));
  return pooling == LLAMA_POOLING_TYPE_NONE ? LLAMA_POOLING_TYPE_MEAN : pooling;
}

bool IsPlain(const GgufTensor& tensor) {
  return tensor.type == GgmlType::kF32 || tensor.type == GgmlType::kF16;
}

// Outputs of the head that EncoderShape describes; none of another head.
std::optional<uint32_t> OutputsOf(const GgufFile& file, uint32_t width) {
  const auto is = [&](const char* name, uint64_t rows) {
    const GgufTensor* tensor = file.FindTensor(name);
    return tensor != nullptr && tensor->shape[0] == width &&
           (rows == 0 || tensor->shape[1] == rows);
  };
  if (!is("cls.weight", width) || !is("cls.output.weight", 0) ||
      file.FindTensor("cls.norm.weight") != nullptr)
    return std::nullopt;
  return static_cast<uint32_t>(file.FindTensor("cls.output.weight")->shape[1]);
}

auto NotByBlas(const GgufFile& file, std::string_view why) {
  return Fail(ErrorCode::kUnavailable,
              fmt::format("{} cannot be computed by BLAS: {}", file.name, why),
              "leave 'blas' at auto");
}

// What is not in single precision is copied into it.
Bytes CopiedOf(const GgufFile& file) {
  double copied = 0;
  for (const GgufTensor& tensor : file.tensors)
    if (tensor.type != GgmlType::kF32)
      copied += sizeof(float) * static_cast<double>(tensor.elements());
  return Bytes(copied);
}

// kUnavailable: why not.
Result<EncoderBase> BaseForBlas(const GgufFile& file,
                                const NeuralSettings& settings,
                                std::optional<Bytes> available) {
  if (!settings.vectors)
    return NotByBlas(file, "it is to give more than vectors");
  if (!settings.lora.empty()) return NotByBlas(file, "it has an adapter");
  if (settings.gpu_layers != 0 && !Gpus().empty())
    return NotByBlas(file, "a GPU computes it");
  if (file.architecture() != "bert")
    return NotByBlas(file, fmt::format("its architecture is {}, not bert",
                                       file.architecture()));
  if (FindBlas() == nullptr)
    return NotByBlas(file, "there is no OpenBLAS here, or MODICUM_BLAS is off");
  const Bytes copied = CopiedOf(file);
  if (available && copied > *available)
    return NotByBlas(file,
                     fmt::format("in single precision it needs {}, {} "
                                 "are free",
                                 FormatBytes(copied), FormatBytes(*available)));
  auto base = EncoderBaseOf(file);
  if (!base) return NotByBlas(file, base.error().message);
  switch (PoolingOf(file)) {
    case LLAMA_POOLING_TYPE_MEAN:
    case LLAMA_POOLING_TYPE_CLS:
      return base;
    case LLAMA_POOLING_TYPE_RANK:
      if (const auto outputs = OutputsOf(file, base->shape.width)) {
        base->shape.labels = *outputs;
        return base;
      }
      return NotByBlas(file, "its head has another shape");
    default:
      return NotByBlas(file, "it pools in another way");
  }
}

// As llama.cpp says it, which guesses where the file does not.
std::string TypeName(const GgufFile& file) {
  const bool half = std::ranges::any_of(file.tensors, [](const GgufTensor& t) {
    return t.type == GgmlType::kF16;
  });
  const int guess = (half ? LLAMA_FTYPE_MOSTLY_F16 : LLAMA_FTYPE_ALL_F32) |
                    LLAMA_FTYPE_GUESSED;
  return llama_ftype_name(static_cast<llama_ftype>(
      file.Unsigned("general.file_type").value_or(guess)));
}

NeuralInfo InfoOf(const EncoderBase& base) {
  NeuralInfo info = EncoderInfo(base);
  info.file_type = TypeName(base.file);
  const GgufArray* labels = base.file.Array("bert.classifier.output_labels");
  for (uint32_t i = 0; i < base.shape.labels; ++i)
    info.labels.push_back(labels != nullptr && i < labels->texts.size()
                              ? labels->texts[i]
                              : std::to_string(i));
  return info;
}

std::vector<float> MeanOf(std::span<const float> rows, size_t width) {
  std::vector<float> mean(width);
  for (size_t i = 0; i < rows.size(); ++i) mean[i % width] += rows[i];
  const size_t count = rows.size() / width;
  for (float& x : mean) x /= static_cast<float>(count);
  return mean;
}

class BertModel final : public NeuralModel {
 public:
  BertModel(std::unique_ptr<const MappedWeights> weights, NeuralInfo info,
            enum llama_pooling_type pooling, ThreadPools pools,
            std::unique_ptr<WordPieceTokenizer> tokenizer, size_t together)
      : info_(std::move(info)),
        pooling_(pooling),
        together_(together),
        tokenizer_(std::move(tokenizer)),
        pools_(std::move(pools)),
        weights_(std::move(weights)),
        graph_(weights_->weights, pools_, GeluKind::kTanh) {}

  const NeuralInfo& info() const override { return info_; }
  Result<TokenIds> Tokenize(std::string_view text,
                            bool special) const override {
    return special ? tokenizer_->Tokenize(text) : tokenizer_->Pieces(text);
  }
  Result<TokenIds> TokenizePair(std::string_view query,
                                std::string_view document) const override {
    if (info_.labels.size() != 1) return NoReranker(info_.path);
    MODICUM_TRY(TokenIds pair, tokenizer_->Tokenize(query));
    MODICUM_TRY(const TokenIds second, tokenizer_->Tokenize(document));
    pair.insert(pair.end(), second.begin() + 1, second.end());
    return pair;
  }
  std::string Piece(TokenId token) const override {
    return tokenizer_->Piece(token);
  }

  Result<Generation> Generate(std::span<const TokenId>, const GenerateOptions&,
                              const std::function<bool(std::string_view)>&,
                              PhaseSink&) override {
    return NoDecoder(info_.path);
  }
  Status Logits(std::span<const TokenId>, size_t, const CallOptions&,
                const std::function<void(size_t, std::span<const float>)>&,
                PhaseSink&) override {
    return NoDecoder(info_.path);
  }
  Result<std::vector<double>> LogLikelihoods(std::span<const TokenId>,
                                             std::span<const TokenIds>,
                                             const CallOptions&,
                                             PhaseSink&) override {
    return NoDecoder(info_.path);
  }
  Result<std::vector<Importance>> MeasureImportance(std::span<const TokenId>,
                                                    const CallOptions&,
                                                    PhaseSink&) override {
    return Fail(ErrorCode::kUnavailable,
                info_.path + " was opened for vectors alone");
  }

  Result<std::vector<std::vector<float>>> Embed(std::span<const TokenIds> texts,
                                                bool normalize,
                                                const CallOptions& call,
                                                PhaseSink& sink) override {
    if (!info_.labels.empty()) return NoVectors(info_.path);
    MODICUM_TRY(auto vectors, Pool(texts, call, sink));
    if (normalize)
      for (std::vector<float>& vector : vectors) Normalize(vector);
    return vectors;
  }
  Result<std::vector<std::vector<float>>> Classify(
      std::span<const TokenIds> texts, const CallOptions& call,
      PhaseSink& sink) override {
    if (info_.labels.empty()) return NoClasses(info_.path);
    return Pool(texts, call, sink);
  }

 private:
  Result<std::vector<std::vector<float>>> Pool(std::span<const TokenIds> texts,
                                               const CallOptions& call,
                                               PhaseSink& sink) {
    MODICUM_RETURN_IF_ERROR(CheckNoneEmpty(texts));
    const bool mean = pooling_ == LLAMA_POOLING_TYPE_MEAN;
    std::vector<AskedText> asked;
    for (const TokenIds& tokens : texts) {
      AskedText text{CutTo(tokens, info_.context)};
      if (!mean) text.places = {0};
      asked.push_back(std::move(text));
    }
    std::vector<std::vector<float>> vectors(texts.size());
    const auto take = [&](size_t index, std::span<const float> rows) {
      if (mean)
        vectors[index] = MeanOf(rows, info_.width);
      else
        vectors[index].assign(rows.begin(), rows.end());
    };
    MODICUM_RETURN_IF_ERROR(
        info_.labels.empty()
            ? graph_.Read(asked, together_, call, sink, take)
            : graph_.Logits(asked, together_, call, sink, take));
    for (const std::vector<float>& vector : vectors)
      MODICUM_RETURN_IF_ERROR(CheckNumbers(info_.path, vector));
    return vectors;
  }

  const NeuralInfo info_;
  const enum llama_pooling_type pooling_;
  const size_t together_;  // tokens in one forward pass, about
  const std::unique_ptr<WordPieceTokenizer> tokenizer_;
  const ThreadPools pools_;
  const std::unique_ptr<const MappedWeights> weights_;
  InferenceGraph graph_;
};

}  // namespace

Result<std::unique_ptr<NeuralModel>> OpenAsBert(
    const GgufFile& file, const NeuralSettings& settings,
    std::optional<Bytes> available) {
  if (settings.blas == "off") return nullptr;
  const bool asked = settings.blas == "on";
  // ggml has kernels for quantized weights, which are smaller.
  if (!asked && !std::ranges::all_of(file.tensors, IsPlain)) return nullptr;
  const auto base = BaseForBlas(file, settings, available);
  if (!base && asked) return Fail(base.error());
  if (!base) return nullptr;
  NeuralInfo info = InfoOf(*base);
  MODICUM_TRY(info.context, EncoderContext(*base, settings));
  MODICUM_TRY(ThreadPools pools, ThreadPools::Start(settings));
  MODICUM_TRY(auto tokenizer, WordPieceTokenizer::Open(base->vocabulary));
  MODICUM_TRY(auto weights,
              MapWeights(*base, base->shape, pools.batch_threads()));
  return std::make_unique<BertModel>(
      std::move(weights), std::move(info), PoolingOf(file), std::move(pools),
      std::move(tokenizer),
      static_cast<size_t>(std::max(1, settings.micro_batch)));
}

}  // namespace modicum
