// SPDX-License-Identifier: Apache-2.0
// What the tests of probes share: times, and the machines in tests/roots.
#pragma once

#include <string>

#include "base/clock.h"

namespace modicum {

inline MonotonicTime At(double seconds) {
  return MonotonicTime{} + Seconds(seconds);
}

inline std::string RootOf(const std::string& machine) {
  return std::string(MODICUM_SOURCE_DIR) + "/tests/roots/" + machine;
}

}  // namespace modicum
