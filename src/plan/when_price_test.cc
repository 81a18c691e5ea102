// SPDX-License-Identifier: Apache-2.0
#include "plan/when_price.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "plan/test_plans.h"

namespace modicum {
namespace {

Tariff NightTariff() {
  return *Tariff::Parse(
      "zone = \"UTC\"\ncurrency = \"PLN\"\n"
      "[[band]]\nname = \"day\"\nprice = 1.2\nhours = \"06:00-22:00\"\n"
      "[[band]]\nname = \"night\"\nprice = 0.4\nhours = \"22:00-06:00\"\n",
      "t.toml");
}

WhenQuery AtNoon() {
  return {.it_energy = KilowattHours(10),
          .pue = Exactly(Scalar(1.5), Origin::kAssumed, Scope::kWall),
          .duration = Hours(2),
          .deadline = Hours(24),
          .now = ParseTime("2026-01-01T12:00:30Z", false).value(),
          .series_name = "s.csv"};
}

TEST(PricePlan, EnergyTimesPueTimesTheMeanPrice) {
  const auto plan = PlanPrices(AtNoon(), NightTariff());
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_NEAR(Mid(*plan, "now_cost"), 10 * 1.5 * 1.2, 1e-9);
  EXPECT_NEAR(Mid(*plan, "best_cost"), 10 * 1.5 * 0.4, 1e-9);
  EXPECT_NEAR(Mid(*plan, "less_cost"), 10 * 1.5 * 0.8, 1e-9);
  EXPECT_EQ(Find(*plan, "best_cost").unit, "PLN");
  // From 22:00 to 04:00, every quarter.
  EXPECT_EQ(plan->verdict,
            "start at 2026-01-01T22:00:00Z, in 10 h: 0.400 PLN/kWh on "
            "average against 1.20 now (-67 %); ranks 1 to 25 cost the same");
}

TEST(PricePlan, AWindowOverAnEdgePaysBoth) {
  WhenQuery query = AtNoon();
  query.now = ParseTime("2026-01-01T21:30Z", false).value();
  query.deadline = Hours(2);
  const auto plan = PlanPrices(query, NightTariff());
  ASSERT_TRUE(plan);
  EXPECT_NEAR(Mid(*plan, "now_cost"), 10 * 1.5 * (0.25 * 1.2 + 0.75 * 0.4),
              1e-9);
  EXPECT_EQ(plan->verdict,
            "now is the cheapest of 1 starts: 0.600 PLN/kWh on average");
}

TEST(PricePlan, OfOnePriceTheGreenerIsFirst) {
  std::string csv = "time,gco2e_per_kwh\n";
  for (int hour = 12; hour < 36; ++hour)
    csv += fmt::format("2026-01-{:02}T{:02}:00Z,{}\n", 1 + hour / 24, hour % 24,
                       hour == 27 || hour == 28 ? 100 : 400);
  const auto series = IntensitySeries::Parse(csv, "s.csv");
  ASSERT_TRUE(series);
  const Tariff tariff = NightTariff();
  const auto plan = PlanPrices(AtNoon(), tariff, &*series);
  ASSERT_TRUE(plan);
  const auto& rows = plan->tables.at(0).rows;
  EXPECT_EQ(rows[0][1], "2026-01-02T03:00:00Z");
  EXPECT_EQ(rows[0].back(), "100");
}

// However the start is chosen, none is cheaper than the first.
TEST(PricePlan, RanksAreInOrder) {
  WhenQuery query = AtNoon();
  query.top = 0;
  const auto plan = PlanPrices(query, NightTariff());
  ASSERT_TRUE(plan);
  double before = 0;
  for (const auto& row : plan->tables.at(0).rows) {
    EXPECT_GE(std::stod(row[3]), before);
    before = std::stod(row[3]);
  }
  EXPECT_EQ(plan->tables.at(0).rows.size(), 89U);
}

TEST(PricePlan, WhatCannotBePlanned) {
  WhenQuery query = AtNoon();
  query.duration = Hours(25);
  EXPECT_EQ(PlanPrices(query, NightTariff()).error().message,
            "25 h do not fit before a deadline of 24 h");
  query.deadline = Hours(24 * 400);
  EXPECT_EQ(PlanPrices(query, NightTariff()).error().message,
            "a deadline in 400 d is over a year away");
}

}  // namespace
}  // namespace modicum
