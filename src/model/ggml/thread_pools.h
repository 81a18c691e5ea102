// SPDX-License-Identifier: Apache-2.0
// The threads that compute: how many, on which CPUs, how they wait.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/usable_cpus.h"
#include "model/ggml/llama_handles.h"
#include "model/neural.h"

namespace modicum {

// "0,2-3" as 0, 2, 3. kInvalidInput: no such list, or a CPU that this process
// may not use.
Result<std::vector<int>> ParseCpus(std::string_view text);

// ggml's pools, as the settings want them. The calling thread is one of them,
// and takes on their CPUs.
class ThreadPools {
 public:
  static Result<ThreadPools> Start(const NeuralSettings& settings);

  // The pools must outlive the context.
  void Attach(llama_context& context) const;
  // Of a graph that encodes: with the threads of prefill.
  void Attach(ggml_backend& cpu) const;

  int threads() const { return threads_; }
  int batch_threads() const { return batch_threads_; }

 private:
  ThreadPools() = default;

  int threads_ = 1;
  int batch_threads_ = 1;
  PoolHandle pool_;
  PoolHandle batch_pool_;  // null: the same as pool_
};

}  // namespace modicum
