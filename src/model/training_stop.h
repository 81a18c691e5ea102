// SPDX-License-Identifier: Apache-2.0
// What every training ends with that the user stopped.
#pragma once

#include <stop_token>

#include "base/result.h"

namespace modicum {

inline auto TrainingInterrupted() {
  return Fail(ErrorCode::kInterrupted, "training interrupted");
}

inline Status CheckNotStopped(const std::stop_token& stop) {
  if (stop.stop_requested()) return TrainingInterrupted();
  return {};
}

}  // namespace modicum
