// SPDX-License-Identifier: Apache-2.0
// MakeBill: conserved energy, golden factors, and what is named as missing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "hardware/machine.h"
#include "meter/meter.h"
#include "place/embodied.h"

namespace modicum {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

Estimate<Joules> CountedAs(double joules, double sd = 0) {
  return {Joules(joules), sd, {}, Origin::kCounter, Scope::kPackage};
}

// 10 s on an otherwise idle package: 60 J active and 40 J idle are ours.
WindowReading Reading() {
  WindowReading reading;
  reading.wall = Seconds(10);
  reading.cpu = Seconds(20);
  reading.split = {CountedAs(300), CountedAs(60, 3), CountedAs(40, 2),
                   CountedAs(20),  CountedAs(160),   CountedAs(20),
                   "proportional"};
  reading.lines = {{"cpu", "rapl", CountedAs(90)},
                   {"dram", "rapl", CountedAs(10)}};
  reading.warnings = {"window shorter than ten updates"};
  return reading;
}

HostFacts Server() {
  HostFacts host;
  host.cpu_model = "AMD EPYC 7763 64-Core Processor";
  host.sockets = 2;
  host.cores = 128;
  host.logical_cpus = 256;
  return host;
}

Place At(const PlaceQuery& query) {
  auto place = FindPlace(query);
  EXPECT_TRUE(place.has_value()) << place.error().message;
  return *std::move(place);
}

TEST(MakeBill, EnergyIsTheReadingsOwnAndLinesSumToIt) {
  const WindowReading reading = Reading();
  const Bill bill =
      MakeBill(reading, At({.region = "PL"}), Server(), {"cpu", "dram"});
  EXPECT_DOUBLE_EQ(bill.energy.mid.value(), 100);
  Joules sum;
  for (const BillLine& line : bill.lines) sum += line.energy.mid;
  EXPECT_DOUBLE_EQ(sum.value(), bill.energy.mid.value());
  const EnergySplit& split = bill.split;
  EXPECT_DOUBLE_EQ(
      (split.own() + split.other_active + split.other_idle + split.unattributed)
          .mid.value(),
      split.measured.mid.value());
  EXPECT_DOUBLE_EQ(bill.wall.value(), 10);
  EXPECT_DOUBLE_EQ(bill.cpu.value(), 20);
  EXPECT_EQ(bill.place, "Poland");
}

TEST(MakeBill, EveryFigureIsEnergyTimesTheListedFactors) {
  const Place place = At({.region = "DE", .provider = "on-prem"});
  const Bill bill = MakeBill(Reading(), place, Server(), {"cpu"});
  const double kwh = 100 / 3.6e6;
  std::vector<double> value;
  for (const Factor& factor : bill.factors) value.push_back(factor.value);
  ASSERT_EQ(value.size(), 7u);  // grid, PUE, WUE, EWIF, price; make, life
  EXPECT_NEAR(bill.operational.mid.value(), kwh * value[0] * value[1], 1e-12);
  EXPECT_NEAR(bill.water.mid.value(), kwh * (value[2] + value[1] * value[3]),
              1e-15);
  ASSERT_TRUE(bill.money.has_value());
  EXPECT_NEAR(bill.money->amount.mid.value(), kwh * value[1] * value[4], 1e-15);
  EXPECT_EQ(bill.money->currency.view(), "EUR");
  // 20 of 2,560 thread-seconds of a 2,909 kg machine that lives 5 years.
  ASSERT_TRUE(bill.embodied.has_value());
  EXPECT_NEAR(bill.embodied->mid.value(),
              value[5] * 1000 * (20.0 / 256) / (value[6] * 365.25 * 86400),
              1e-9);
}

TEST(MakeBill, EachFactorIsListedOnceWithItsSource) {
  const Bill bill =
      MakeBill(Reading(), At({.region = "US-CA"}), Server(), {"cpu"});
  std::set<std::string> names;
  for (const Factor& factor : bill.factors) {
    EXPECT_TRUE(names.insert(factor.name).second) << factor.name;
    EXPECT_FALSE(factor.source.empty()) << factor.name;
    EXPECT_FALSE(factor.date.empty()) << factor.name;
  }
}

TEST(MakeBill, ErrorsOfEnergyAndFactorsBothArrive) {
  WindowReading exact = Reading();
  exact.split.own_active = CountedAs(60);
  exact.split.own_idle = CountedAs(40);
  const Place place = At({.region = "PL"});
  const Bill wide = MakeBill(Reading(), place, Server(), {"cpu"});
  const Bill narrow = MakeBill(exact, place, Server(), {"cpu"});
  EXPECT_GT(narrow.operational.sd(), 0.25 * narrow.operational.mid.value());
  EXPECT_GT(wide.operational.sd(), narrow.operational.sd());
  // Two bills of one place: the factors cancel, the readings' errors do not.
  EXPECT_NEAR(Ratio(wide.operational, narrow.operational).sd(), 0.036, 0.001);
}

TEST(MakeBill, HardwareThatIsThereButNotMeteredIsNamed) {
  HostFacts host = Server();
  host.gpus.assign(8, "NVIDIA H100");
  const Place place = At({.region = "PL"});
  const Bill cpu = MakeBill(Reading(), place, host, {"cpu"});
  EXPECT_THAT(cpu.missing, Contains(HasSubstr("8 GPUs")));
  EXPECT_THAT(cpu.missing, Contains(HasSubstr("DRAM")));
  std::vector<std::string> metered = {"cpu", "dram"};
  metered.insert(metered.end(), 8, "gpu");
  const Bill more = MakeBill(Reading(), place, host, metered);
  EXPECT_THAT(more.missing, Not(Contains(HasSubstr("GPUs present"))));
  EXPECT_THAT(more.missing, Contains("manufacture of the GPUs"));
  EXPECT_THAT(more.missing, Not(Contains(HasSubstr("DRAM"))));
  EXPECT_THAT(more.missing, Contains(HasSubstr("network")));
}

// The share of a GPU is that of the time that it was busy for the window; with
// all idling charged it is the window. Without its users it is not known.
TEST(MakeBill, AGpuIsMadeForWhoKeepsItBusy) {
  HostFacts host = Server();
  host.gpus.assign(2, "NVIDIA A100-SXM4-40GB");
  WindowReading reading = Reading();
  const auto billed = [&] {
    return MakeBill(reading, At({.region = "PL"}), host, {"cpu", "gpu", "gpu"});
  };
  const double machine = MakeBill(reading, At({.region = "PL"}), host, {"cpu"})
                             .embodied->mid.value();
  const auto gpus = [&](const Bill& bill) {
    return bill.embodied->mid.value() - machine;
  };
  constexpr double kGramsASecond = 152'000 / (5 * 365.25 * 86400);
  for (const double busy : {3., 5.}) {
    DomainEnergy gpu;
    gpu.domain.component = "gpu";
    gpu.domain.counted = true;
    gpu.device = DeviceTimes{{}, false, Seconds(busy)};
    reading.domains.push_back(gpu);
  }
  EXPECT_NEAR(gpus(billed()), 8 * kGramsASecond, 1e-9);
  EXPECT_THAT(billed().missing, Not(Contains("manufacture of the GPUs")));
  reading.split.idle_policy = "full";
  const double whole = billed().embodied->mid.value();
  reading.domains.clear();
  EXPECT_NEAR(whole - billed().embodied->mid.value(),
              2 * reading.wall.value() * kGramsASecond, 1e-9);

  reading = Reading();
  reading.domains.resize(1);
  reading.domains[0].domain.counted = true;
  reading.domains[0].device = DeviceTimes{};
  EXPECT_EQ(gpus(billed()), 0);
  EXPECT_THAT(billed().missing, Contains("manufacture of the GPUs"));
  reading.domains[0].device->own = Seconds(3);
  host.gpus[1] = "NVIDIA T4";
  EXPECT_THAT(billed().missing, Contains("manufacture of the GPUs"));
}

TEST(MakeBill, WithoutAPriceThereIsNoMoneyAndItSaysSo) {
  const Bill bill = MakeBill(Reading(), At({}), Server(), {"cpu"});
  EXPECT_FALSE(bill.money.has_value());
  EXPECT_THAT(bill.missing,
              Contains("money: no electricity price is known for world "
                       "average (assumed); --tariff and --currency give one"));
}

// Day from 06:00 to 22:00 UTC at 1.2, night at 0.4.
Hourly DayAndNight() {
  return {
      .tariff = *Tariff::Parse(
          "zone = \"UTC\"\ncurrency = \"PLN\"\nsource = \"contract\"\n"
          "date = \"2026\"\n"
          "[[band]]\nname = \"day\"\nprice = 1.2\nhours = \"06:00-22:00\"\n"
          "[[band]]\nname = \"night\"\nprice = 0.4\nhours = \"22:00-06:00\"\n",
          "t.toml"),
      .intensity = {}};
}
constexpr int64_t kHourMicros = 3'600'000'000;

TEST(MakeBill, ATariffByTheHourIsPaidByWhatWasUsedWhen) {
  const Hourly hourly = DayAndNight();
  WindowReading reading = Reading();
  reading.slices = {{{21 * kHourMicros}, Hours(1), Joules(30)},
                    {{22 * kHourMicros}, Hours(1), Joules(10)}};
  const Place place = At({.region = "PL"});
  const Bill bill = MakeBill(reading, place, Server(), {"cpu"}, hourly);
  ASSERT_TRUE(bill.money && bill.tariff);
  EXPECT_DOUBLE_EQ(bill.tariff->mean, 0.75 * 1.2 + 0.25 * 0.4);
  EXPECT_NEAR(bill.money->amount.mid.value(),
              100 / 3.6e6 * place.pue.mid.value() * bill.tariff->mean, 1e-15);
  std::vector<std::string> prices;
  for (const Factor& factor : bill.factors)
    if (IsTariff(factor)) prices.push_back(factor.name);
  EXPECT_THAT(prices, testing::ElementsAre("electricity price, day (UTC)",
                                           "electricity price, night (UTC)"));
}

TEST(MakeBill, EnergyThatWasNotCutIsSplitByTimeAndThatWidensTheMoney) {
  const Hourly hourly = DayAndNight();
  WindowReading reading = Reading();
  reading.split.own_active = CountedAs(100);
  reading.split.own_idle = CountedAs(0);
  const Place place = At({.region = "PL", .pue = 1});
  reading.began = {12 * kHourMicros};
  reading.wall = Hours(1);
  const Bill day = MakeBill(reading, place, Server(), {"cpu"}, hourly);
  EXPECT_EQ(day.tariff->by_time, 0);
  EXPECT_EQ(day.money->amount.sd(), 0);
  reading.began = {21 * kHourMicros + kHourMicros / 2};
  const Bill both = MakeBill(reading, place, Server(), {"cpu"}, hourly);
  EXPECT_EQ(both.tariff->by_time, 1);
  EXPECT_NEAR(both.money->amount.mid.value(), 100 / 3.6e6 * 0.8, 1e-15);
  EXPECT_NEAR(both.money->amount.sd(), 100 / 3.6e6 * 0.4, 1e-15);
}

TEST(MakeBill, AContractsCarbonStandsBesideTheGrids) {
  const Bill grid = MakeBill(Reading(), At({.region = "PL"}), Server(), {});
  EXPECT_FALSE(grid.operational_market);
  const Bill both = MakeBill(
      Reading(), At({.region = "PL", .market_intensity = 0}), Server(), {});
  EXPECT_EQ(both.operational_market->mid, MarketGramsCo2e(0));
  EXPECT_EQ(both.operational.mid, grid.operational.mid);
}

TEST(MakeBill, IntensityByTheHourIsPaidByWhatWasUsedWhen) {
  const auto series = IntensitySeries::Parse(
      "time,gco2e_per_kwh\n1970-01-01T21:00Z,100\n1970-01-01T22:00Z,500\n",
      "s.csv");
  const Hourly hourly{{}, *HourlyIntensity::Of(*series, "s.csv")};
  WindowReading reading = Reading();
  reading.slices = {{{21 * kHourMicros}, Hours(1), Joules(30)},
                    {{22 * kHourMicros}, Hours(1), Joules(10)}};
  const Place place = At({.region = "PL", .market_intensity = 50, .pue = 1.2});
  const Bill bill = MakeBill(reading, place, Server(), {"cpu"}, hourly);
  ASSERT_TRUE(bill.intensity);
  EXPECT_DOUBLE_EQ(bill.intensity->mean.value(), 200);
  EXPECT_NEAR(bill.operational.mid.value(), 100 / 3.6e6 * 1.2 * 200, 1e-12);
  // A contract has no hours.
  EXPECT_NEAR(bill.operational_market->mid.value(), 100 / 3.6e6 * 1.2 * 50,
              1e-12);
  EXPECT_EQ(std::ranges::count_if(bill.factors, IsIntensity), 1);
  EXPECT_THAT(
      bill.factors,
      Contains(testing::Field(
          &Factor::name, "grid intensity by the hour, mean of the energy")));
  // An hour more is in no hour of the series: the average is a factor too.
  reading.slices.push_back({{23 * kHourMicros}, Hours(1), Joules(10)});
  const Bill longer = MakeBill(reading, place, Server(), {"cpu"}, hourly);
  EXPECT_DOUBLE_EQ(longer.intensity->outside, 0.2);
  EXPECT_EQ(std::ranges::count_if(longer.factors, IsIntensity), 2);
}

TEST(MakeBill, AnAssumedPlaceIsSaidAloud) {
  const Bill bill = MakeBill(Reading(), At({}), Server(), {"cpu"});
  EXPECT_EQ(bill.place, "world average (assumed)");
  EXPECT_THAT(bill.warnings, Contains("no place is set, so the world average "
                                      "is assumed (--region names it)"));
  EXPECT_THAT(bill.warnings, Contains("window shorter than ten updates"));
  EXPECT_EQ(bill.operational.origin, Origin::kAssumed);
  const Bill known = MakeBill(Reading(), At({.region = "PL"}), Server(), {});
  EXPECT_EQ(known.warnings.size(), 1u);
}

TEST(MakeBill, ElectricityInsideARentIsNotBilledTwice) {
  const Bill cloud = MakeBill(
      Reading(), At({.region = "DE", .provider = "aws"}), Server(), {"cpu"});
  EXPECT_THAT(cloud.missing, Contains("rent of the machine, which includes the "
                                      "electricity priced here"));
  EXPECT_THAT(
      cloud.factors,
      Contains(testing::Field(
          &Factor::name, "electricity price, Germany (part of the rent)")));
  const Bill own = MakeBill(Reading(), At({.region = "DE"}), Server(), {"cpu"});
  EXPECT_THAT(own.missing, Not(Contains(HasSubstr("rent"))));
}

TEST(MakeBill, AnUnknownMachineHasNoEmbodiedCarbon) {
  HostFacts board;
  board.cpu_model = "Cortex-A72";
  board.logical_cpus = 4;
  const Bill bill = MakeBill(Reading(), At({.region = "PL"}), board, {"cpu"});
  EXPECT_FALSE(bill.embodied.has_value());
  EXPECT_THAT(bill.missing, Contains("manufacture of this machine"));
}

TEST(MakeBill, AVirtualMachinePaysForItsThreadsOfTheHost) {
  HostFacts vm = Server();
  vm.virtual_machine = true;
  vm.sockets = 1;
  vm.logical_cpus = 2;
  const Place place = At({.region = "PL"});
  const Bill guest = MakeBill(Reading(), place, vm, {"cpu"});
  ASSERT_TRUE(guest.embodied.has_value());
  const int threads = 2 * PowerOf(vm).package_threads;
  ASSERT_GT(threads, 2);
  const EmbodiedDevice server = FindEmbodied("server").value();
  EXPECT_NEAR(
      guest.embodied->mid.value(),
      server.carbon.mid.value() * (20.0 / threads) / server.life.value(), 1e-9);
}

TEST(MakeBill, TheFullPolicyPaysForTheWholeWindow) {
  WindowReading reading = Reading();
  reading.cpu = Seconds(1);
  const Place place = At({.region = "PL"});
  const Bill shared = MakeBill(reading, place, Server(), {"cpu"});
  reading.split.idle_policy = "full";
  const Bill whole = MakeBill(reading, place, Server(), {"cpu"});
  // 10 s of all 256 threads against 1 s of one.
  EXPECT_NEAR(whole.embodied->mid / shared.embodied->mid, 2560, 1e-6);
}

TEST(MakeBill, NothingUsedCostsNothing) {
  WindowReading reading;
  reading.split.idle_policy = "proportional";
  const Bill bill = MakeBill(reading, At({.region = "DE"}), Server(), {"cpu"});
  EXPECT_DOUBLE_EQ(bill.operational.mid.value(), 0);
  EXPECT_DOUBLE_EQ(bill.water.mid.value(), 0);
  EXPECT_DOUBLE_EQ(bill.money->amount.mid.value(), 0);
  EXPECT_DOUBLE_EQ(bill.embodied->mid.value(), 0);
}

}  // namespace
}  // namespace modicum
