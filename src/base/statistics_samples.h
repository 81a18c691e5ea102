// SPDX-License-Identifier: Apache-2.0
// What the tests of statistics share.
#pragma once

#include <gtest/gtest.h>

#include <limits>

#include "base/rng.h"
#include "base/statistics.h"

namespace modicum {

inline constexpr double kInf = std::numeric_limits<double>::infinity();

// Of mean 0 and standard deviation 1.
inline double Gauss(Rng& rng) {
  return NormalQuantile((rng.Next() + 0.5) * 0x1p-32);
}

inline void ExpectInterval(Interval interval, double low, double high,
                           double tolerance) {
  EXPECT_NEAR(interval.low, low, tolerance);
  EXPECT_NEAR(interval.high, high, tolerance);
}

}  // namespace modicum
