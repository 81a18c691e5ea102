// SPDX-License-Identifier: Apache-2.0
// A network ready to compute: llama.cpp's context with its threads, and the
// batches it is given.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "model/ggml/llama_handles.h"
#include "model/ggml/thread_pools.h"
#include "model/neural.h"

namespace modicum {

// Tokens of one forward pass, each at its place in a sequence.
class Batch {
 public:
  explicit Batch(uint32_t capacity);
  ~Batch() { llama_batch_free(batch_); }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  void Clear() { batch_.n_tokens = 0; }
  // `wanted`: its logits will be asked for. Not beyond the capacity.
  void Add(TokenId token, size_t position, size_t sequence, bool wanted);
  uint32_t size() const { return static_cast<uint32_t>(batch_.n_tokens); }
  bool full() const { return size() == capacity_; }
  const llama_batch& raw() const { return batch_; }

 private:
  const uint32_t capacity_;
  llama_batch batch_;
};

// What a context is for.
struct ComputeShape {
  uint32_t cells = 0;      // tokens kept, of all sequences
  uint32_t sequences = 1;  // at most kMaxSequences
  uint32_t batch = 0;      // tokens a call
  uint32_t micro_batch = 0;
  bool vectors = false;  // pooled outputs instead of logits
  enum llama_pooling_type pooling = LLAMA_POOLING_TYPE_UNSPECIFIED;
  // Called with every node of the graph, if set; see llama.h.
  ggml_backend_sched_eval_callback observe = nullptr;
  void* observer = nullptr;
};

inline constexpr uint32_t kMaxSequences = 256;  // LLAMA_MAX_SEQ
inline constexpr int kMaxTokens = 1 << 24;      // of a context or a batch

// Of whatever network; kInvalidInput names what is out of range.
Status CheckSettings(const NeuralSettings& settings);

// Whether `call` is to end now: kInterrupted says by what.
Status CheckCall(const CallOptions& call);

class Compute {
 public:
  // Model and pools must outlive it. kUnavailable with the library's reason.
  static Result<std::unique_ptr<Compute>> Open(llama_model& model,
                                               const ComputeShape& shape,
                                               const NeuralSettings& settings,
                                               const ThreadPools& pools);

  // From now on it computes with these adapters of the model, and no others.
  void Adapt(std::vector<llama_adapter_lora*> adapters,
             std::vector<float> scales);

  // One call of the library. kInterrupted when `call` ends, also in the
  // middle; what was kept of the batch's sequences is then not defined.
  Status Run(const Batch& batch, const CallOptions& call);
  // Of the batch's token i, which was wanted. They may be changed.
  std::span<float> Logits(uint32_t i);
  // Pooled, of `size` numbers.
  std::span<const float> Vector(size_t sequence, size_t size);

  // Null when nothing is kept between calls: an encoder.
  llama_memory_t memory() const { return llama_get_memory(context_.get()); }
  void Forget();  // all sequences
  const ComputeShape& shape() const { return shape_; }

 private:
  explicit Compute(const ComputeShape& shape) : shape_(shape) {}
  static bool ShouldAbort(void* self);
  int Call(const llama_batch& batch);

  ComputeShape shape_;
  ContextHandle context_;
  bool encodes_ = false;
  bool failed_ = false;  // what is kept may hold numbers that are none
  const CallOptions* call_ = nullptr;
};

}  // namespace modicum
