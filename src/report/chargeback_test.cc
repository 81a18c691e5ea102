// SPDX-License-Identifier: Apache-2.0
#include "report/chargeback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace modicum {
namespace {

using testing::HasSubstr;

// Inside a test, Run is a member of its class.
using Runs = std::vector<Run>;

constexpr int64_t kDay = 86'400'000'000;
constexpr int64_t kNovember26 = 20'783 * kDay;  // 2026-11-26

Run MakeRun(const std::string& team, double joules, int64_t ended,
            const char* currency = "EUR") {
  Run run;
  run.id = NewUuid();
  run.kind = "run";
  if (!team.empty()) run.tags["team"] = team;
  run.started = {ended};
  run.ended = {ended};
  run.status = RunStatus::kOk;
  Bill bill;
  bill.cpu = Seconds(1);
  bill.energy = Exactly(Joules(joules), Origin::kModelled, Scope::kPackage)
                    .WithShared(InternSource("cpu-load model"), 0.5);
  bill.operational =
      Exactly(GramsCo2e(joules / 1000), Origin::kAssumed, Scope::kPackage);
  bill.water = Exactly(Litres(joules / 1e6), Origin::kAssumed, Scope::kPackage);
  bill.money = MoneyEstimate{
      Exactly(Amount(joules / 1e6), Origin::kAssumed, Scope::kPackage), {}};
  std::copy_n(currency, 3, bill.money->currency.code);
  run.bill = bill;
  return run;
}

TEST(ChargesOf, SumsByTagAndMonth) {
  const Runs runs = {
      MakeRun("search", 100, kNovember26), MakeRun("search", 50, kNovember26),
      MakeRun("", 7, kNovember26), MakeRun("ads", 1, kNovember26),
      MakeRun("search", 30, kNovember26 - 30 * kDay)};
  const auto charges = ChargesOf(runs, "team", ChargePeriod::kMonths);
  ASSERT_EQ(charges.size(), 4U);
  EXPECT_EQ(charges[0].period, "2026-10");
  EXPECT_EQ(charges[1].who, "ads");
  EXPECT_EQ(charges[2].who, "search");
  EXPECT_EQ(charges[2].period, "2026-11");
  EXPECT_EQ(charges[2].sum.runs, 2U);
  EXPECT_DOUBLE_EQ(charges[2].sum.energy->mid.value(), 150);
  EXPECT_EQ(charges[3].who, "");  // nobody's last
}

// What the runs' model errs by, it errs by in all of them.
TEST(ChargesOf, SharedErrorsDoNotAverageOut) {
  Runs runs;
  for (int i = 0; i < 100; ++i) runs.push_back(MakeRun("a", 10, kNovember26));
  const auto charges = ChargesOf(runs, "team", ChargePeriod::kAll);
  ASSERT_EQ(charges.size(), 1U);
  EXPECT_NEAR(charges[0].sum.energy->sd(), 500, 1e-6);
}

TEST(ChargesOf, TheSumIsThatOfTheRuns) {
  Runs runs;
  double total = 0;
  for (int i = 0; i < 60; ++i) {
    runs.push_back(MakeRun(std::string(1, static_cast<char>('a' + i % 7)), i,
                           kNovember26 + i * kDay));
    total += i;
  }
  for (const auto period :
       {ChargePeriod::kAll, ChargePeriod::kMonths, ChargePeriod::kDays}) {
    double sum = 0;
    size_t count = 0;
    for (const Charge& charge : ChargesOf(runs, "team", period)) {
      sum += charge.sum.energy->mid.value();
      count += charge.sum.runs;
    }
    EXPECT_NEAR(sum, total, 1e-9);
    EXPECT_EQ(count, runs.size());
  }
}

// A run inside of another is charged to its own team, and only there.
TEST(ChargesOf, EachJouleIsChargedOnce) {
  const auto outer = MakeRun("search", 100, kNovember26);
  auto part = MakeRun("ads", 30, kNovember26);
  part.tags["inside"] = outer.id.text;
  auto same = MakeRun("search", 20, kNovember26);
  same.tags["inside"] = outer.id.text;
  auto deeper = MakeRun("", 10, kNovember26);
  deeper.tags["inside"] = part.id.text;
  const Runs runs = {deeper, part, outer, same};
  const auto charges = ChargesOf(runs, "team", ChargePeriod::kAll);
  ASSERT_EQ(charges.size(), 3U);
  EXPECT_DOUBLE_EQ(charges[0].sum.energy->mid.value(), 20);  // ads
  EXPECT_DOUBLE_EQ(charges[1].sum.energy->mid.value(), 70);  // search
  EXPECT_DOUBLE_EQ(charges[2].sum.energy->mid.value(), 10);  // nobody
  EXPECT_EQ(charges[1].sum.runs, 2U);
  EXPECT_EQ(charges[1].sum.inside, 1U);
  double money = 0;
  for (const Charge& charge : charges)
    money += charge.sum.money.at("EUR").amount.mid.value();
  EXPECT_NEAR(money, 100 / 1e6, 1e-12);
}

// What parts add up to by their models may be more than the whole.
TEST(ChargesOf, NobodyIsOwedEnergy) {
  const auto outer = MakeRun("search", 10, kNovember26);
  auto part = MakeRun("ads", 11, kNovember26);
  part.tags["inside"] = outer.id.text;
  const auto charges = ChargesOf(Runs{outer, part}, "team", ChargePeriod::kAll);
  EXPECT_EQ(charges[1].sum.energy->mid, Joules(0));
  EXPECT_GE(charges[1].sum.energy->interval().high, 0);
}

TEST(ChargesOf, CountsWhatFailedAndWhatWasNotMetered) {
  Runs runs = {MakeRun("a", 10, kNovember26), MakeRun("a", 10, kNovember26)};
  runs[0].status = RunStatus::kFailed;
  runs[1].bill.reset();
  const auto charges = ChargesOf(runs, "team", ChargePeriod::kAll);
  EXPECT_EQ(charges[0].failed, 1U);
  EXPECT_EQ(charges[0].sum.metered, 1U);
  EXPECT_DOUBLE_EQ(charges[0].sum.energy->mid.value(), 10);
  runs.erase(runs.begin());
  const auto none = ChargesOf(runs, "team", ChargePeriod::kAll);
  EXPECT_FALSE(none[0].sum.energy);
  EXPECT_THAT(FormatCharges(none, {"team", {}}, "table"), HasSubstr(" - "));
}

TEST(ChargesOf, CurrenciesAreNotAddedUp) {
  const Runs runs = {MakeRun("a", 1e6, kNovember26),
                     MakeRun("a", 2e6, kNovember26, "USD"),
                     MakeRun("a", 3e6, kNovember26)};
  const auto charges = ChargesOf(runs, "team", ChargePeriod::kAll);
  ASSERT_EQ(charges[0].sum.money.size(), 2U);
  EXPECT_DOUBLE_EQ(charges[0].sum.money.at("EUR").amount.mid.value(), 4);
  const std::string csv = FormatCharges(charges, {"team", {}}, "csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 3);
}

// Of runs of which some had a contract the sum says of how many it is.
TEST(ChargesOf, ContractsCarbonIsASumOfItsOwn) {
  Runs runs = {MakeRun("a", 1e6, kNovember26), MakeRun("a", 2e6, kNovember26)};
  const ChargeView view{"team", {}};
  auto charges = ChargesOf(runs, "team", ChargePeriod::kAll);
  EXPECT_THAT(FormatCharges(charges, view, "table"),
              testing::Not(HasSubstr("market")));
  runs[0].bill->operational_market =
      Exactly(MarketGramsCo2e(40), Origin::kAssumed, Scope::kPackage);
  charges = ChargesOf(runs, "team", ChargePeriod::kAll);
  EXPECT_EQ(charges[0].sum.operational_market->mid, MarketGramsCo2e(40));
  EXPECT_EQ(charges[0].sum.operational->mid, GramsCo2e(3000));
  EXPECT_THAT(FormatCharges(charges, view, "table"),
              HasSubstr("40 gCO2e assumed (1 of 2 runs)"));
  EXPECT_THAT(FormatCharges(charges, view, "csv"),
              HasSubstr(",40,40,40,assumed,1,0\n"));
}

TEST(ChargesOf, ByWhatEveryRunHas) {
  Runs runs = {MakeRun("a", 1, kNovember26)};
  runs[0].project = "p";
  runs[0].host.hostname = "node7";
  EXPECT_EQ(ChargesOf(runs, "project", ChargePeriod::kAll)[0].who, "p");
  EXPECT_EQ(ChargesOf(runs, "kind", ChargePeriod::kAll)[0].who, "run");
  EXPECT_EQ(ChargesOf(runs, "host", ChargePeriod::kDays)[0].who, "node7");
}

TEST(Caps, OnesOwnGoesBeforeTheCommonOne) {
  Charge charge;
  charge.who = "search";
  const std::vector<ChargeCap> caps = {{"search", Joules(5)}, {"", Joules(9)}};
  EXPECT_EQ(CapOf(charge, caps), Joules(5));
  charge.who = "ads";
  EXPECT_EQ(CapOf(charge, caps), Joules(9));
  EXPECT_FALSE(CapOf(charge, std::span(caps).first(1)));
}

TEST(FormatCharges, ShowsThePartOfTheCap) {
  const Runs runs = {MakeRun("a", 150, kNovember26)};
  const auto charges = ChargesOf(runs, "team", ChargePeriod::kAll);
  const ChargeView view{"team", {{"", Joules(100)}}};
  EXPECT_THAT(FormatCharges(charges, view, "table"),
              HasSubstr("150 % of 100 J, PAST"));
  EXPECT_THAT(FormatCharges(charges, view, "md"), HasSubstr("| team"));
}

TEST(FormatCharges, EveryRowOfCsvIsAsWideAsItsHead) {
  Runs runs = {MakeRun("a,\"b\"", 1, kNovember26),
               MakeRun("c", 1, kNovember26)};
  runs[1].bill->money.reset();
  const ChargeView view{"team", {{"", Joules(1)}}};
  const std::string csv = FormatCharges(
      ChargesOf(runs, "team", ChargePeriod::kMonths), view, "csv");
  EXPECT_THAT(csv, HasSubstr("\"a,\"\"b\"\"\""));
  std::vector<std::ptrdiff_t> widths;
  size_t begin = 0;
  while (begin < csv.size()) {
    const size_t end = csv.find('\n', begin);
    std::string line = csv.substr(begin, end - begin);
    if (const size_t at = line.find("\"a,"); at != std::string::npos)
      line[at + 2] = ' ';
    widths.push_back(std::count(line.begin(), line.end(), ','));
    begin = end + 1;
  }
  EXPECT_THAT(widths, testing::Each(widths.front()));
}

TEST(FormatCharges, JsonHasTheWholeEstimates) {
  const Runs runs = {MakeRun("a", 150, kNovember26)};
  const auto json = nlohmann::json::parse(FormatCharges(
      ChargesOf(runs, "team", ChargePeriod::kMonths), {"team", {}}, "json"));
  EXPECT_EQ(json[0]["team"], "a");
  EXPECT_EQ(json[0]["energy"]["mid"], 150);
  EXPECT_EQ(json[0]["money"][0]["currency"], "EUR");
  EXPECT_TRUE(json[0]["embodied"].is_null());
}

}  // namespace
}  // namespace modicum
