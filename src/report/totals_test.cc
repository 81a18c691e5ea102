// SPDX-License-Identifier: Apache-2.0
#include "report/totals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"
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

TEST(Totals, ARunThatIsKnownToBeInsideIsCountedOnce) {
  Runs runs = {SampleRun("outer", "run", RunStatus::kOk, 0, 100),
               SampleRun("a", "fit", RunStatus::kOk, 10, 20),
               SampleRun("b", "run", RunStatus::kFailed, 40, 20)};
  const double outer = runs[0].bill->energy.mid.value();
  const double fit = runs[1].bill->energy.mid.value();
  runs[1].tags[kInsideTag] = runs[2].tags[kInsideTag] = "outer";
  const RunTotals totals = TotalsOf(runs);
  EXPECT_EQ(totals.nested, 0U);
  EXPECT_EQ(totals.all.runs, 3U);
  EXPECT_EQ(totals.all.inside, 2U);
  EXPECT_EQ(totals.all.unmetered(), 0U);
  EXPECT_DOUBLE_EQ(totals.all.energy->mid.value(), outer);
  // The other kind's is its own, and not the outer one's.
  EXPECT_DOUBLE_EQ(totals.by_kind.at("fit").energy->mid.value(), fit);
  EXPECT_DOUBLE_EQ(totals.by_kind.at("run").energy->mid.value(), outer - fit);
  EXPECT_EQ(totals.by_kind.at("run").inside, 1U);
  EXPECT_LT(totals.by_kind.at("run").cpu, runs[0].bill->cpu);
}

// Random runs side by side, each charged with all of the idling: its sum is
// what the machine idled in the time that any of them was there.
TEST(Totals, IdlingThatIsChargedInFullIsCountedOnce) {
  constexpr double kIdleWatts = 3;
  Rng rng(1);
  for (int round = 0; round < 200; ++round) {
    Runs runs;
    std::vector<bool> there(400);
    double active = 0;
    const uint32_t count = 1 + rng.Below(6);
    for (uint32_t i = 0; i < count; ++i) {
      const int64_t from = rng.Below(300);
      const int64_t seconds = 1 + rng.Below(99);
      auto run =
          SampleRun(std::to_string(i), "run", RunStatus::kOk, from, seconds);
      const auto joules = [](double value) {
        return Exactly(Joules(value), Origin::kModelled, Scope::kHost);
      };
      run.bill->split.idle_policy = "full";
      run.bill->split.own_active = joules(7);
      run.bill->split.own_idle =
          joules(kIdleWatts * static_cast<double>(seconds));
      run.bill->energy = run.bill->split.own();
      active += 7;
      std::fill_n(there.begin() + from, seconds, true);
      runs.push_back(std::move(run));
    }
    const double idle = kIdleWatts * static_cast<double>(std::count(
                                         there.begin(), there.end(), true));
    EXPECT_NEAR(TotalsOf(runs).all.energy->mid.value(), active + idle, 1e-6)
        << round;
    for (auto& run : runs) run.bill->split.idle_policy = "proportional";
    EXPECT_EQ(TotalsOf(runs).sharing, 0U);
    // Of what a watch recorded each row has its part already.
    for (auto& run : runs) {
      run.bill->split.idle_policy = "full";
      run.kind = "watch";
    }
    EXPECT_EQ(TotalsOf(runs).sharing, 0U);
  }
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
