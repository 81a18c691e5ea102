// SPDX-License-Identifier: Apache-2.0
#include "report/totals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/sample_runs.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

// Inside of a test, Run is a function of the test.
using Runs = std::vector<Run>;

TEST(Totals, EveryRunCountsWhateverItsOutcome) {
  const RunTotals totals = TotalsOf(SampleRuns());
  EXPECT_EQ(totals.all.runs, 4U);
  EXPECT_EQ(totals.all.metered, 3U);
  EXPECT_DOUBLE_EQ(totals.all.energy->mid.value(), 400 + 200 + 100);
  EXPECT_DOUBLE_EQ(totals.all.wall.value(), 175);
  EXPECT_EQ(StatusCounts(totals), "1 running, 1 ok, 1 failed, 1 interrupted");
  EXPECT_EQ(totals.by_kind.at("run").runs, 3U);
  EXPECT_EQ(totals.factors.size(), 1U);
  EXPECT_THAT(totals.machines,
              ElementsAre("Intel Xeon, 2 logical CPUs, VM (KVM), no GPU"));
}

// The model's error is common to all runs: it does not average out.
TEST(Totals, SharedErrorsAddUpAndKindsSumToAll) {
  const RunTotals totals = TotalsOf(SampleRuns());
  EXPECT_NEAR(totals.all.energy->sd(), 0.5 * 700, 1e-9);
  double sum = 0;
  for (const auto& [kind, part] : totals.by_kind)
    if (part.energy) sum += part.energy->mid.value();
  EXPECT_DOUBLE_EQ(sum, 700);
}

TEST(Totals, CurrenciesAreNotAdded) {
  Runs runs = SampleRuns();
  const auto money = [](double amount, Currency currency) {
    return MoneyEstimate{
        Exactly(Amount(amount), Origin::kAssumed, Scope::kPackage), currency};
  };
  runs[0].bill->money = money(1, {"EUR"});
  runs[1].bill->money = money(2, {"PLN"});
  runs[2].bill->money = money(3, {"EUR"});
  const RunSum all = TotalsOf(runs).all;
  ASSERT_EQ(all.money.size(), 2U);
  EXPECT_DOUBLE_EQ(all.money.at("EUR").amount.mid.value(), 4);
  EXPECT_DOUBLE_EQ(all.money.at("PLN").amount.mid.value(), 2);
  EXPECT_EQ(all.with_money, 3U);
}

TEST(Totals, ARunInsideOfAnotherIsNoticed) {
  Runs runs = SampleRuns();
  EXPECT_EQ(TotalsOf(runs).nested, 0U);
  runs.push_back(SampleRun("e", "fit", RunStatus::kOk, 510, 20));
  EXPECT_EQ(TotalsOf(runs).nested, 1U);
  runs.back().host.boot = "another machine";
  EXPECT_EQ(TotalsOf(runs).nested, 0U);
}

TEST(Totals, OriginsAndScopesAreCounted) {
  Runs runs = SampleRuns();
  runs[0].bill->energy.origin = Origin::kCounter;
  const RunTotals totals = TotalsOf(runs);
  EXPECT_THAT(totals.origins,
              ElementsAre(Pair("counter", 1), Pair("modelled", 2)));
  EXPECT_THAT(totals.scopes, ElementsAre(Pair("package", 3)));
  EXPECT_EQ(totals.all.energy->origin, Origin::kModelled);
}

}  // namespace
}  // namespace modicum
