// SPDX-License-Identifier: Apache-2.0
// The run settings that `modicum tune` found, where a command uses them.
#pragma once

#include <string>

#include "base/result.h"
#include "base/settings.h"
#include "model/neural.h"
#include "record/types.h"

namespace modicum {

struct TunedChoice {
  NeuralSettings settings;
  std::string note;  // what was taken, or why not; "" when never tuned
};

// What was found for the network at `path` on this machine and for what
// `flags` open it for, vectors or text, under what they change of the defaults.
// Settings of another machine or for other work are not taken.
Result<TunedChoice> TunedUnder(const NeuralSettings& flags,
                               const std::string& path,
                               const Settings& settings, const HostFacts& host);

}  // namespace modicum
