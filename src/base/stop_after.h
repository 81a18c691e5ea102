// SPDX-License-Identifier: Apache-2.0
// A stop request that comes by itself.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/wait.h"

namespace modicum {

// Stops when `outer` is asked to, or after `limit`, in real time.
class StopAfter {
 public:
  StopAfter(const std::stop_token& outer, std::optional<Seconds> limit)
      : passed_on_(outer, [this] { source_.request_stop(); }) {
    if (!limit) return;
    if (*limit <= Seconds(0)) {
      source_.request_stop();
      return;
    }
    timer_ = std::jthread([this, limit = *limit](const std::stop_token& ended) {
      if (WaitFor(limit, ended)) source_.request_stop();
    });
  }
  StopAfter(const StopAfter&) = delete;
  StopAfter& operator=(const StopAfter&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::stop_callback<std::function<void()>> passed_on_;
  std::jthread timer_;  // last: ends before what it uses goes
};

}  // namespace modicum
