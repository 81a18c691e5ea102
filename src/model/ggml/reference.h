// SPDX-License-Identifier: Apache-2.0
// For tests: llama.cpp used as its own examples use it, to compare with.
#pragma once

#include <llama.h>

#include <string>

#include "model/ggml/llama_handles.h"
#include "model/neural.h"

namespace modicum {

// `count` tokens after `prompt`, each by the library's greedy sampler.
inline TokenIds ReferenceGreedy(const std::string& path, TokenIds prompt,
                                size_t count) {
  const ModelHandle model(
      llama_model_load_from_file(path.c_str(), llama_model_default_params()));
  llama_context_params params = llama_context_default_params();
  params.n_ctx = static_cast<uint32_t>(prompt.size() + count);
  params.n_batch = static_cast<uint32_t>(prompt.size());
  params.n_threads = params.n_threads_batch = 1;
  const ContextHandle context(llama_init_from_model(model.get(), params));
  llama_sampler* greedy = llama_sampler_init_greedy();
  TokenIds tokens;
  llama_batch batch =
      llama_batch_get_one(prompt.data(), static_cast<int32_t>(prompt.size()));
  llama_token next = 0;
  while (tokens.size() < count && llama_decode(context.get(), batch) == 0) {
    next = llama_sampler_sample(greedy, context.get(), -1);
    tokens.push_back(next);
    batch = llama_batch_get_one(&next, 1);
  }
  llama_sampler_free(greedy);
  return tokens;
}

}  // namespace modicum
