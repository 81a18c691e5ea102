// SPDX-License-Identifier: Apache-2.0
// SIGINT and SIGTERM as a stop token.
#pragma once

#include <stop_token>
#include <thread>

namespace modicum {

// While it lives, the first SIGINT or SIGTERM asks to stop, a second one ends
// the process at once. Blocking calls return EINTR. A SIGINT that was ignored
// when the program began stays ignored. SIGPIPE becomes a failed write. A
// command started from here gets all of them back as they are by default.
// One at a time.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::thread watcher_;
};

}  // namespace modicum
