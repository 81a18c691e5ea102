// SPDX-License-Identifier: Apache-2.0
#include "meter/baseline.h"

#include <gtest/gtest.h>

namespace modicum {
namespace {

constexpr Seconds kPeriod(0.125);  // exact in binary, sums too

void Quiet(Baseline& baseline, Watts power, int samples) {
  for (int i = 0; i < samples; ++i)
    baseline.Observe(power * kPeriod, kPeriod, 0.01, true);
}

TEST(Baseline, IsUnknownUntilAQuietStretch) {
  Baseline baseline(Milliseconds(1));
  Quiet(baseline, Watts(8), 3);
  EXPECT_FALSE(baseline.idle());
  Quiet(baseline, Watts(8), 1);
  EXPECT_EQ(baseline.idle(), Watts(8));
}

TEST(Baseline, KeepsTheLowest) {
  Baseline baseline(Milliseconds(1));
  Quiet(baseline, Watts(8), 4);
  Quiet(baseline, Watts(6), 4);
  Quiet(baseline, Watts(9), 4);
  EXPECT_EQ(baseline.idle(), Watts(6));
}

TEST(Baseline, BusySamplesAndGapsStartTheStretchAnew) {
  Baseline baseline(Milliseconds(1));
  for (int i = 0; i < 20; ++i) {
    Quiet(baseline, Watts(5), 3);
    baseline.Observe(Joules(0), kPeriod, i % 2 == 0 ? 0.06 : 0.0, i % 2 == 0);
  }
  EXPECT_FALSE(baseline.idle());
}

TEST(Baseline, ASlowSourceNeedsTenUpdates) {
  Baseline baseline(Seconds(0.25));
  Quiet(baseline, Watts(5), 19);
  EXPECT_FALSE(baseline.idle());
  Quiet(baseline, Watts(5), 1);
  EXPECT_EQ(baseline.idle(), Watts(5));
}

}  // namespace
}  // namespace modicum
