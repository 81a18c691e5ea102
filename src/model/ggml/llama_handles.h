// SPDX-License-Identifier: Apache-2.0
// Owners of what llama.cpp and ggml hand out.
#pragma once

#include <llama.h>

#include <memory>

#include "model/ggml/backends.h"

namespace modicum {

struct LlamaDeleter {
  void operator()(llama_model* model) const { llama_model_free(model); }
  void operator()(llama_context* context) const { llama_free(context); }
  void operator()(ggml_threadpool* pool) const { Cpu().free_pool(pool); }
};
using ModelHandle = std::unique_ptr<llama_model, LlamaDeleter>;
using ContextHandle = std::unique_ptr<llama_context, LlamaDeleter>;
using PoolHandle = std::unique_ptr<ggml_threadpool, LlamaDeleter>;

}  // namespace modicum
