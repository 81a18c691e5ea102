// SPDX-License-Identifier: Apache-2.0
// An encoder and its head while they are used, without gradients: texts stand
// one after the other and nothing fills them up. GELU is by the error function
// here, as transformers has it, where such heads come from.
#pragma once

#include <ggml-alloc.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "model/ggml/encoder_weights.h"
#include "model/ggml/thread_pools.h"
#include "model/neural.h"

namespace modicum {

// Not thread-safe. Lifetime: weights and pools outlive it.
class HeadGraph {
 public:
  HeadGraph(const EncoderWeights& weights, const ThreadPools& pools);
  ~HeadGraph();
  HeadGraph(const HeadGraph&) = delete;
  HeadGraph& operator=(const HeadGraph&) = delete;

  // One row of logits a place that is asked about, text by text; each has 1 to
  // `context` tokens. Cheapest where texts of one length stand together.
  // kInterrupted when `call` ends, also in the middle.
  Result<std::vector<float>> Logits(std::span<const AskedText* const> texts,
                                    const CallOptions& call);
  // Instead what the body made of each place: what the head sees.
  Result<std::vector<float>> Read(std::span<const AskedText* const> texts,
                                  const CallOptions& call);

 private:
  struct Build;
  Result<std::vector<float>> Compute(std::span<const AskedText* const> texts,
                                     bool head, const CallOptions& call);
  static bool EndsNow(void* self);

  const EncoderWeights& weights_;
  std::vector<uint8_t> arena_;  // of the graph's nodes, not of their numbers
  ggml_backend* backend_;
  ggml_gallocr* allocator_;
  const CallOptions* call_ = nullptr;
};

}  // namespace modicum
