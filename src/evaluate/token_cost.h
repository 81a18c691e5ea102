// SPDX-License-Identifier: Apache-2.0
// What a token costs in networks, reading and writing apart: measured in turn
// (A B, B A, ...) like the costs of predictions (cost.h), and summed up as
// they are.
#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "evaluate/cost.h"
#include "meter/meter.h"
#include "model/neural.h"

namespace modicum {

struct TokenCostOptions {
  uint32_t generate = 32;    // tokens after the prompt
  int repeats = 5;           // of each network
  Seconds repeat_wall{0.3};  // of either phase, at least
};

struct TokenCostSubject {
  std::string workload;  // see CostSubject: networks of one type share it
  NeuralModel* network = nullptr;
};

// "predictions" of the figures are tokens.
struct TokenCost {
  CostFigure prefill;
  CostFigure decode;
};

// Each network continues `prompt` greedily. kInterrupted when stopped.
Result<std::vector<TokenCost>> MeasureTokenCosts(
    std::span<const TokenCostSubject> subjects, std::span<const TokenId> prompt,
    const TokenCostOptions& options, Meter& meter, const std::stop_token& stop);

}  // namespace modicum
