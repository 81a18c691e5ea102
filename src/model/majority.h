// SPDX-License-Identifier: Apache-2.0
// The humblest model: always the most frequent class, with the shares of the
// training rows as probabilities. Part of the program.
#pragma once

#include "model/engine.h"

namespace modicum {

inline constexpr char kMajorityFile[] = "majority.txt";

// Lifetime: that of the process.
Engine& MajorityEngine();

}  // namespace modicum
