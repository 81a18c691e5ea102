// SPDX-License-Identifier: Apache-2.0
// A network that llama.cpp runs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/ggml/adapter.h"
#include "model/ggml/compute.h"
#include "model/ggml/thread_pools.h"
#include "model/gguf/gguf_file.h"
#include "model/neural.h"

namespace modicum {

class TextStream;

class LlamaModel final : public NeuralModel {
 public:
  // `file` is the header of the file at `path`, checked.
  static Result<std::unique_ptr<NeuralModel>> Open(
      const GgufFile& file, const NeuralSettings& settings,
      const std::function<void(double)>& progress, const CallOptions& call);

  const NeuralInfo& info() const override { return info_; }
  Result<TokenIds> Tokenize(std::string_view text, bool special) const override;
  Result<TokenIds> TokenizePair(std::string_view query,
                                std::string_view document) const override;
  std::string Piece(TokenId token) const override;
  // llama_generate.cc
  Result<Generation> Generate(
      std::span<const TokenId> prompt, const GenerateOptions& options,
      const std::function<bool(std::string_view)>& on_text,
      PhaseSink& sink) override;
  // llama_score.cc
  Status Logits(
      std::span<const TokenId> tokens, size_t from, const CallOptions& call,
      const std::function<void(size_t, std::span<const float>)>& visit,
      PhaseSink& sink) override;
  Result<std::vector<double>> LogLikelihoods(
      std::span<const TokenId> prompt, std::span<const TokenIds> continuations,
      const CallOptions& call, PhaseSink& sink) override;
  // llama_importance.cc
  Result<std::vector<Importance>> MeasureImportance(
      std::span<const TokenId> text, const CallOptions& call,
      PhaseSink& sink) override;
  // llama_vectors.cc
  Result<std::vector<std::vector<float>>> Embed(std::span<const TokenIds> texts,
                                                bool normalize,
                                                const CallOptions& call,
                                                PhaseSink& sink) override;
  Result<std::vector<std::vector<float>>> Classify(
      std::span<const TokenIds> texts, const CallOptions& call,
      PhaseSink& sink) override;

 private:
  LlamaModel(const NeuralSettings& settings, ThreadPools pools)
      : settings_(settings), pools_(std::move(pools)) {}
  Status Load(const GgufFile& file, const std::function<void(double)>& progress,
              const CallOptions& call);
  Status LoadAdapters(const std::vector<AdapterWish>& wishes);
  void Describe(const GgufFile& file);
  Status OpenFirst();

  // With the adapters.
  Result<std::unique_ptr<Compute>> OpenCompute(const ComputeShape& shape);
  // The context that generates and scores; opened when first asked for.
  Result<Compute*> TextCompute();
  ComputeShape TextShape() const;
  // The one whose outputs are pooled, for texts of up to `longest` tokens.
  Result<Compute*> VectorCompute(size_t longest);

  // That a sequence of `count` tokens can be taken.
  Status CheckLength(size_t count, std::string_view what) const;
  // Of one sequence in a step.
  SeqWork WorkOf(uint64_t id, size_t in, size_t out, size_t kept) const;
  // Reads tokens [at, end) of a sequence; only the last one's logits are
  // wanted.
  Status Feed(Compute& compute, std::span<const TokenId> tokens, size_t at,
              const CallOptions& call, PhaseSink& sink);

  // Continues the `position` tokens that were read, and says why it ended.
  Status Write(Compute& compute, size_t position,
               const GenerateOptions& options, TextStream& text,
               Generation& result, PhaseSink& sink);

  // What LogLikelihoods keeps of its prompt.
  Status KeepPrompt(Compute& compute, std::span<const TokenId> prompt,
                    const CallOptions& call, PhaseSink& sink);
  void ForgetPrompt(Compute& compute);

  // Pooled outputs of `size` numbers each, in the texts' order.
  Result<std::vector<std::vector<float>>> Pool(std::span<const TokenIds> texts,
                                               size_t size,
                                               const CallOptions& call,
                                               PhaseSink& sink);

  const NeuralSettings settings_;
  const ThreadPools pools_;
  ModelHandle model_;
  // They go with the model.
  std::vector<llama_adapter_lora*> adapters_;
  std::vector<float> scales_;
  const llama_vocab* vocabulary_ = nullptr;
  TokenIds ends_;  // tokens that end a text
  NeuralInfo info_;
  enum llama_pooling_type pooling_ = LLAMA_POOLING_TYPE_NONE;
  double kv_bytes_per_token_ = 0;
  std::unique_ptr<Compute> text_;
  std::unique_ptr<Compute> vectors_;
  // The prompt that sequence 0 of text_ holds, and what follows it.
  TokenIds kept_;
  std::vector<float> kept_logits_;
};

}  // namespace modicum
