// SPDX-License-Identifier: Apache-2.0
#include "plan/when_plan.h"

#include <gtest/gtest.h>

#include "plan/test_plans.h"

namespace modicum {
namespace {

IntensitySeries Series() {
  return IntensitySeries::Parse(
             "time,gco2e_per_kwh\n2026-01-01T00:00Z,400\n"
             "2026-01-01T01:00Z,380\n2026-01-01T02:00Z,100\n"
             "2026-01-01T03:00Z,105\n2026-01-01T04:00Z,300\n",
             "s.csv")
      .value();
}

WhenQuery Tonight() {
  return {.it_energy = KilowattHours(10),
          .pue = Exactly(Scalar(1.2), Origin::kAssumed, Scope::kWall),
          .duration = Hours(1),
          .deadline = Hours(5),
          .now = ParseTime("2026-01-01T00:00Z", false).value(),
          .series_name = "s.csv"};
}

TEST(WhenPlan, EnergyTimesPueTimesTheWindowsMean) {
  const auto plan = PlanWindows(Tonight(), Series());
  ASSERT_TRUE(plan);
  EXPECT_NEAR(Find(*plan, "now_kgco2e").range.mid, 10 * 1.2 * 0.4, 1e-12);
  EXPECT_NEAR(Find(*plan, "best_kgco2e").range.mid, 10 * 1.2 * 0.1, 1e-12);
  const Range<double>& less = Find(*plan, "less_kgco2e").range;
  EXPECT_NEAR(less.mid, 10 * 1.2 * 0.3, 1e-12);
  EXPECT_GT(less.low, 0);
}

TEST(WhenPlan, NearWindowsAreNotToldApart) {
  const auto plan = PlanWindows(Tonight(), Series());
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->verdict,
            "start at 2026-01-01T02:00:00Z, in 2 h: 100 gCO2e/kWh on average "
            "against 400 now (-75 %); ranks 1 to 2 are not told apart");
  const auto& rows = plan->tables.at(0).rows;
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows[3].back(), "-5 %, not told apart");
  EXPECT_EQ(rows[4].back(), "-");
}

// Windows that share most of their hours err alike.
TEST(WhenPlan, SharedHoursCancel) {
  const auto at = [&](int64_t minutes) {
    return StartWindow{{minutes * 60'000'000}, SeriesIntensity(100)};
  };
  EXPECT_EQ(WindowRatioSd(at(0), at(0), Hours(4)), 0);
  EXPECT_LT(WindowRatioSd(at(0), at(60), Hours(4)),
            WindowRatioSd(at(0), at(240), Hours(4)));
  EXPECT_EQ(WindowRatioSd(at(0), at(240), Hours(4)),
            WindowRatioSd(at(0), at(600), Hours(4)));
}

TEST(WhenPlan, StartingAtOnceMayBeBest) {
  WhenQuery query = Tonight();
  query.now = ParseTime("2026-01-01T02:00Z", false).value();
  query.deadline = Hours(3);
  const auto plan = PlanWindows(query, Series());
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->verdict, "now is the best of 3 starts");
  EXPECT_EQ(Find(*plan, "less_kgco2e").range.mid, 0);
}

}  // namespace
}  // namespace modicum
