// SPDX-License-Identifier: Apache-2.0
// `modicum predict -m`: the answers of an encoder with a head, a JSON line for
// each line read, with the bill of each phase at the end.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/command.h"
#include "cli/neural_run.h"

namespace modicum {

struct NetworkPrediction {
  NeuralFlags network;
  std::string input = "-";
  std::string field = "text";  // of a text
  bool plain = false;          // each line is the text itself
  size_t lines = 64;           // at a time
  size_t top = 5;              // tokens for a mask
};

Result<int> PredictWithNetwork(Context& context,
                               const NetworkPrediction& flags);

}  // namespace modicum
