// SPDX-License-Identifier: Apache-2.0
#include "plan/selftest.h"

#include <gtest/gtest.h>

namespace modicum {
namespace {

TEST(Selftest, GpuHoursOfHeldOutFamilies) {
  const auto rows = ReplayHours();
  EXPECT_EQ(rows.size(), 23);
  EXPECT_LE(MedianAbsoluteError(rows), 0.20);
  EXPECT_GE(BinomialTest(Covered(rows), static_cast<int>(rows.size()), 0.8),
            0.05);
}

TEST(Selftest, EnergyOfMeteredRuns) {
  std::vector<Replayed> metered;
  for (const Replayed& row : ReplayEnergy())
    if (!row.circular) metered.push_back(row);
  EXPECT_EQ(metered.size(), 6);
  EXPECT_LE(MedianAbsoluteError(metered), 0.15);
}

TEST(Selftest, InferenceEnergy) {
  const auto rows = ReplayInference();
  EXPECT_EQ(rows.size(), 20);
  EXPECT_LE(MeanAbsoluteError(rows), 0.20);
  EXPECT_GE(Covered(rows), 16);
}

TEST(Selftest, BinomialTestIsExact) {
  EXPECT_DOUBLE_EQ(BinomialTest(5, 10, 0.5), 1);
  // 2 x (1 + 10) / 1024.
  EXPECT_NEAR(BinomialTest(1, 10, 0.5), 22.0 / 1024, 1e-12);
  EXPECT_NEAR(BinomialTest(0, 5, 0.8), 0.00032, 1e-12);
}

TEST(Selftest, AMissedFigureFails) {
  Selftest test = RunSelftest();
  EXPECT_TRUE(test.passed());
  test.targets.push_back({"never", 2, 1, false});
  EXPECT_FALSE(test.passed());
}

}  // namespace
}  // namespace modicum
