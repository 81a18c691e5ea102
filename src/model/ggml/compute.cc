// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/compute.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "model/ggml/llama_log.h"
#include "model/gguf/gguf_types.h"

namespace modicum {
namespace {

Result<ggml_type> CacheType(const std::string& name) {
  if (std::ranges::find(kKeyValueTypes, name) == std::end(kKeyValueTypes))
    return Fail(ErrorCode::kInvalidInput,
                "unknown type '" + name + "' of keys and values",
                fmt::format("use {}", fmt::join(kKeyValueTypes, ", ")));
  return static_cast<ggml_type>(FindGgmlType(name)->type);
}

Result<llama_flash_attn_type> FlashAttention(const std::string& name) {
  if (name == "auto") return LLAMA_FLASH_ATTN_TYPE_AUTO;
  if (name == "on") return LLAMA_FLASH_ATTN_TYPE_ENABLED;
  if (name == "off") return LLAMA_FLASH_ATTN_TYPE_DISABLED;
  return Fail(ErrorCode::kInvalidInput,
              "unknown flash attention '" + name + "'", "use auto, on or off");
}

Status CheckRange(int value, int low, int high, std::string_view what) {
  if (value >= low && value <= high) return {};
  return Fail(ErrorCode::kInvalidInput, fmt::format("{} = {}", what, value),
              fmt::format("use {} to {}", low, high));
}

Result<llama_context_params> ParamsOf(const ComputeShape& shape,
                                      const NeuralSettings& settings,
                                      const ThreadPools& pools) {
  llama_context_params params = llama_context_default_params();
  // The library ends the process where there are less than its sequences.
  params.n_ctx = std::max(shape.cells, shape.sequences);
  params.n_batch = std::max(shape.batch, shape.sequences);
  params.n_seq_max = shape.sequences;
  params.n_ubatch = shape.micro_batch;
  params.n_threads = pools.threads();
  params.n_threads_batch = pools.batch_threads();
  params.embeddings = shape.vectors;
  params.pooling_type = shape.pooling;
  params.cb_eval = shape.observe;
  params.cb_eval_user_data = shape.observer;
  params.no_perf = true;
  // Sequences share what they have in common.
  params.kv_unified = true;
  MODICUM_TRY(params.type_k, CacheType(settings.kv_type));
  params.type_v = params.type_k;
  MODICUM_TRY(params.flash_attn_type, FlashAttention(settings.flash_attention));
  return params;
}

}  // namespace

Status CheckSettings(const NeuralSettings& settings) {
  MODICUM_RETURN_IF_ERROR(
      CheckRange(settings.context, 0, kMaxTokens, "context"));
  MODICUM_RETURN_IF_ERROR(CheckRange(
      settings.sequences, 1, static_cast<int>(kMaxSequences) - 1, "sequences"));
  MODICUM_RETURN_IF_ERROR(CheckRange(settings.batch, 1, kMaxTokens, "batch"));
  MODICUM_RETURN_IF_ERROR(
      CheckRange(settings.micro_batch, 1, kMaxTokens, "micro-batch"));
  MODICUM_RETURN_IF_ERROR(CheckRange(settings.poll, 0, 100, "poll"));
  if (settings.blas != "auto" && settings.blas != "on" &&
      settings.blas != "off")
    return Fail(ErrorCode::kInvalidInput,
                "unknown blas '" + settings.blas + "'", "use auto, on or off");
  MODICUM_TRY(const ggml_type type, CacheType(settings.kv_type));
  static_cast<void>(type);
  return FlashAttention(settings.flash_attention)
      .map([](llama_flash_attn_type) {});
}

Batch::Batch(uint32_t capacity)
    : capacity_(capacity),
      batch_(llama_batch_init(static_cast<int32_t>(capacity), 0, 1)) {}

void Batch::Add(TokenId token, size_t position, size_t sequence, bool wanted) {
  MODICUM_CHECK(!full());
  const auto i = static_cast<size_t>(batch_.n_tokens++);
  batch_.token[i] = token;
  batch_.pos[i] = static_cast<llama_pos>(position);
  batch_.n_seq_id[i] = 1;
  batch_.seq_id[i][0] = static_cast<llama_seq_id>(sequence);
  batch_.logits[i] = static_cast<int8_t>(wanted);
}

Status CheckCall(const CallOptions& call) {
  if (call.stop.stop_requested())
    return Fail(ErrorCode::kInterrupted, "interrupted");
  if (call.deadline && SystemClock().Now() >= *call.deadline)
    return Fail(ErrorCode::kInterrupted, "the deadline has passed");
  return {};
}

Result<std::unique_ptr<Compute>> Compute::Open(llama_model& model,
                                               const ComputeShape& shape,
                                               const NeuralSettings& settings,
                                               const ThreadPools& pools) {
  MODICUM_TRY(llama_context_params params, ParamsOf(shape, settings, pools));
  std::unique_ptr<Compute> compute(new Compute(shape));
  params.abort_callback = ShouldAbort;
  params.abort_callback_data = compute.get();
  const LlamaErrors errors;
  compute->context_.reset(llama_init_from_model(&model, params));
  if (compute->context_ == nullptr)
    return Fail(ErrorCode::kUnavailable,
                errors.Explain("llama.cpp cannot set up the network"),
                "a shorter context or smaller batches need less memory: "
                "--context, --micro-batch");
  pools.Attach(*compute->context_);
  compute->encodes_ = llama_model_has_encoder(&model) &&
                      (shape.vectors || !llama_model_has_decoder(&model));
  return compute;
}

void Compute::Adapt(std::vector<llama_adapter_lora*> adapters,
                    std::vector<float> scales) {
  MODICUM_CHECK(llama_set_adapters_lora(context_.get(), adapters.data(),
                                        adapters.size(), scales.data()) == 0);
}

bool Compute::ShouldAbort(void* self) {
  const CallOptions* call = static_cast<Compute*>(self)->call_;
  return call != nullptr && !CheckCall(*call);
}

int Compute::Call(const llama_batch& batch) {
  return encodes_ ? llama_encode(context_.get(), batch)
                  : llama_decode(context_.get(), batch);
}

Status Compute::Run(const Batch& batch, const CallOptions& call) {
  constexpr int kNoRoom = 1;
  constexpr int kAborted = 2;
  MODICUM_RETURN_IF_ERROR(CheckCall(call));
  const LlamaErrors errors;
  call_ = &call;
  int code = 0;
  std::string thrown;
  try {
    code = Call(batch.raw());
  } catch (const std::exception& error) {
    thrown = error.what();
  }
  call_ = nullptr;
  failed_ = failed_ || code != 0 || !thrown.empty();
  if (!thrown.empty())
    return Fail(ErrorCode::kInternal, "llama.cpp failed: " + thrown);
  if (code == 0) return {};
  if (code == kAborted) return CheckCall(call);
  if (code == kNoRoom)
    return Fail(ErrorCode::kInternal, "llama.cpp has no room for the batch");
  return Fail(
      ErrorCode::kInternal,
      errors.Explain("llama.cpp failed with code " + std::to_string(code)));
}

std::span<float> Compute::Logits(uint32_t i) {
  float* logits = llama_get_logits_ith(context_.get(), static_cast<int32_t>(i));
  MODICUM_CHECK(logits != nullptr);
  const llama_vocab* vocabulary =
      llama_model_get_vocab(llama_get_model(context_.get()));
  return {logits, static_cast<size_t>(llama_vocab_n_tokens(vocabulary))};
}

std::span<const float> Compute::Vector(size_t sequence, size_t size) {
  const float* vector = llama_get_embeddings_seq(
      context_.get(), static_cast<llama_seq_id>(sequence));
  MODICUM_CHECK(vector != nullptr);
  return {vector, size};
}

void Compute::Forget() {
  // The numbers may stay: what no sequence owns is masked.
  if (memory() != nullptr) llama_memory_clear(memory(), failed_);
  failed_ = false;
}

}  // namespace modicum
