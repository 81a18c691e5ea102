// SPDX-License-Identifier: Apache-2.0
// Probabilities out of a network's logits.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

namespace modicum {

// The natural logarithm of what exp(logits) add up to: subtract it from a
// logit for its log-probability.
inline double LogSumExp(std::span<const float> logits) {
  float highest = -INFINITY;
  for (const float logit : logits) highest = std::max(highest, logit);
  double sum = 0;
  for (const float logit : logits) sum += double{std::exp(logit - highest)};
  return double{highest} + std::log(sum);
}

}  // namespace modicum
