// SPDX-License-Identifier: Apache-2.0
// The probability that a score in log-odds stands for.
#pragma once

#include <cmath>

namespace modicum {

inline double Logistic(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace modicum
