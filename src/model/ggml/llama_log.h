// SPDX-License-Identifier: Apache-2.0
// What llama.cpp and ggml say: nowhere, but for their last errors, which end
// up in ours. MODICUM_LLAMA_LOG=1 sends all of it to stderr.
#pragma once

#include <stop_token>
#include <string>

namespace modicum {

// From here on the library is silent. Thread-safe; once is enough.
void CatchLlamaLog();

// The library's errors since it was made. Of two at a time each also sees the
// other's.
class LlamaErrors {
 public:
  LlamaErrors();
  // `what`, and why the library says so.
  std::string Explain(const std::string& what) const;
  bool Mention(std::string_view words) const;
};

// While it lives, this thread's quantization ends with an exception, which the
// library catches itself, at the tensor that follows a stop: it has no other
// way to be stopped.
class StopsQuantizing {
 public:
  explicit StopsQuantizing(std::stop_token stop);
  ~StopsQuantizing();
  StopsQuantizing(const StopsQuantizing&) = delete;
  StopsQuantizing& operator=(const StopsQuantizing&) = delete;

 private:
  const std::stop_token stop_;
};

}  // namespace modicum
