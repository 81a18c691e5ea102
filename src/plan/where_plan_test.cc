// SPDX-License-Identifier: Apache-2.0
#include "plan/where_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "plan/test_plans.h"

namespace modicum {
namespace {

WhereQuery WhereFrom(const char* from) {
  WhereQuery query;
  query.it_kwh = {2000, 0};
  query.job = "2 MWh";
  query.from = FindPlace({.region = from}).value();
  return query;
}

std::vector<std::string> Column(const Plan& plan, std::string_view name) {
  const PlanTable& table = plan.tables.at(0);
  const auto at = static_cast<size_t>(std::ranges::find(table.columns, name) -
                                      table.columns.begin());
  std::vector<std::string> cells;
  for (const auto& row : table.rows) cells.push_back(row.at(at));
  return cells;
}

TEST(WherePlan, FiguresAreThoseOfABillAtTheSamePlace) {
  const WhereQuery query = WhereFrom("PL");
  const auto plan = PlanPlaces(query);
  ASSERT_TRUE(plan);
  const auto energy =
      Exactly(KilowattHours(2000), Origin::kModelled, Scope::kWall);
  EXPECT_NEAR(Mid(*plan, "from_kgco2e"),
              OperationalCarbon(energy, query.from).mid.value() / 1e3, 1e-9);
  EXPECT_NEAR(Mid(*plan, "from_water_l"),
              WaterUse(energy, query.from).mid.value(), 1e-9);
  // 1.082 USD a euro.
  EXPECT_NEAR(Mid(*plan, "from_electricity_usd"),
              ElectricityCost(energy, query.from)->amount.mid.value() * 1.082,
              1e-6);
}

TEST(WherePlan, RanksGrow) {
  for (const WhereSort sort :
       {WhereSort::kCarbon, WhereSort::kWater, WhereSort::kPrice}) {
    WhereQuery query = WhereFrom("PL");
    query.sort = sort;
    query.among = {"PL", "FR", "SE", "DE", "Norway"};
    query.top = 0;
    const auto plan = PlanPlaces(query);
    ASSERT_TRUE(plan);
    const char* columns[] = {"kgCO2e", "water L", "USD"};
    double last = 0;
    for (std::string cell : Column(*plan, columns[static_cast<size_t>(sort)])) {
      std::erase(cell, ',');
      EXPECT_GE(std::stod(cell), last);
      last = std::stod(cell);
    }
  }
}

// The provider's PUE, however uncertain, is the same on both sides.
TEST(WherePlan, TheSharedErrorCancels) {
  WhereQuery query = WhereFrom("PL");
  query.among = {"PL", "SE"};
  const auto wide = PlanPlaces(query);
  query.everywhere.pue = 1.2;
  query.from = FindPlace({.region = "PL", .pue = 1.2}).value();
  const auto narrow = PlanPlaces(query);
  ASSERT_TRUE(wide && narrow);
  EXPECT_EQ(Column(*wide, "against Poland"), Column(*narrow, "against Poland"));
}

TEST(WherePlan, NearRegionsAreNotToldApart) {
  WhereQuery query = WhereFrom("PL");
  query.among = {"PL", "SE", "NO"};
  const auto plan = PlanPlaces(query);
  ASSERT_TRUE(plan);
  EXPECT_EQ(Column(*plan, "not told from ranks"),
            (std::vector<std::string>{"1 to 2", "1 to 2", "-"}));
  EXPECT_NE(plan->verdict.find("ranks 1 to 2 are not told apart"),
            std::string::npos);
}

TEST(WherePlan, TheCurrentRegionIsAlwaysListed) {
  WhereQuery query = WhereFrom("PL");
  query.top = 3;
  const auto plan = PlanPlaces(query);
  ASSERT_TRUE(plan);
  const auto codes = Column(*plan, "code");
  EXPECT_EQ(codes.size(), 4U);
  EXPECT_EQ(codes.back(), "PL");
}

TEST(WherePlan, AnUnknownRegionIsNamed) {
  WhereQuery query = WhereFrom("PL");
  query.among = {"PL", "Germny"};
  const auto plan = PlanPlaces(query);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().message,
            "unknown region 'Germny', did you mean 'Germany'?");
}

}  // namespace
}  // namespace modicum
