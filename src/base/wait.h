// SPDX-License-Identifier: Apache-2.0
// A pause that a stop request ends.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "base/units.h"

namespace modicum {

// In real time, whatever the clock: a fake one would never pass. Not for each
// of a sampler's steps: it allocates. False when it
// was asked to stop, before or meanwhile.
inline bool WaitFor(Seconds seconds, const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(
      lock, stop, std::chrono::duration<double>(seconds.value()),
      [] { return false; });
  return !stop.stop_requested();
}

}  // namespace modicum
