// SPDX-License-Identifier: Apache-2.0
// An encoder while it is used, without gradients, in single precision: texts
// stand one after the other and nothing fills them up. Its products are made by
// BLAS where that is at hand.
#pragma once

#include <ggml-alloc.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "model/ggml/encoder_weights.h"
#include "model/ggml/thread_pools.h"
#include "model/neural.h"

namespace modicum {

// By the error function, as transformers has it, where heads for tokens come
// from; or by the tangent that is close to it, as llama.cpp computes a `bert`.
enum class GeluKind { kErf, kTanh };

// Not thread-safe. Lifetime: weights and pools outlive it.
class InferenceGraph {
 public:
  InferenceGraph(const EncoderWeights& weights, const ThreadPools& pools,
                 GeluKind gelu);
  ~InferenceGraph();
  InferenceGraph(const InferenceGraph&) = delete;
  InferenceGraph& operator=(const InferenceGraph&) = delete;

  // Gets the numbers of text `index`: a row for each place that is asked about.
  using Take = std::function<void(size_t index, std::span<const float> rows)>;
  // Logits of the head. Texts of 1 to `context` tokens, as many at a time as
  // have about `together` tokens, the longest first. A step each is reported.
  // kInterrupted when `call` ends, also in the middle.
  Status Logits(std::span<const AskedText> texts, size_t together,
                const CallOptions& call, PhaseSink& sink, const Take& take);
  // Instead what the body made of each place: what the head sees.
  Status Read(std::span<const AskedText> texts, size_t together,
              const CallOptions& call, PhaseSink& sink, const Take& take);

 private:
  struct Build;
  struct Job;
  Status Run(const Job& job, PhaseSink& sink, const Take& take);
  Result<std::vector<float>> Compute(std::span<const AskedText* const> texts,
                                     bool head, const CallOptions& call);
  static bool EndsNow(void* self);

  const EncoderWeights& weights_;
  const GeluKind gelu_;
  std::vector<uint8_t> arena_;  // of the graph's nodes, not of their numbers
  ggml_backend* backend_;
  ggml_gallocr* allocator_;
  const CallOptions* call_ = nullptr;
};

}  // namespace modicum
