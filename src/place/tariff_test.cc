// SPDX-License-Identifier: Apache-2.0
#include "place/tariff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "place/intensity_series.h"
#include "place/place.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kDayAndNight[] = R"(zone = "Europe/Warsaw"
currency = "PLN"
[[band]]
name = "day"
price = 1.2
hours = "06:00-22:00"
[[band]]
name = "night"
price = 0.4
hours = "22:00-06:00"
)";

// Dearer on winter weekdays from seven to eleven.
constexpr char kSeasons[] = R"(zone = "+01:00"
currency = "EUR"
source = "contract 7"
date = "2026-01"
holidays = ["2026-12-25"]
[[band]]
name = "peak"
price = 0.5
months = "oct-mar"
days = "mon-fri"
hours = ["07:00-11:00"]
[[band]]
name = "winter"
price = 0.2
months = "oct-mar"
days = "mon-fri"
hours = ["00:00-07:00", "11:00-24:00"]
[[band]]
name = "weekend"
price = 0.1
months = "oct-mar"
days = ["sat", "sun"]
[[band]]
name = "summer"
price = 0.15
months = "apr-sep"
)";

Tariff TariffOf(std::string_view toml) {
  auto tariff = Tariff::Parse(toml, "t.toml");
  EXPECT_TRUE(tariff) << tariff.error().message;
  return *std::move(tariff);
}
WallTime Time(std::string_view text) { return ParseTime(text, true).value(); }
std::string NameAt(const Tariff& tariff, std::string_view text) {
  return tariff.At(Time(text)).name;
}

TEST(Tariff, GoesByLocalHours) {
  const Tariff tariff = TariffOf(kDayAndNight);
  // Warsaw is an hour ahead in winter and two in summer.
  EXPECT_EQ(NameAt(tariff, "2026-01-15T04:59Z"), "night");
  EXPECT_EQ(NameAt(tariff, "2026-01-15T05:00Z"), "day");
  EXPECT_EQ(NameAt(tariff, "2026-07-15T03:59Z"), "night");
  EXPECT_EQ(NameAt(tariff, "2026-07-15T04:00Z"), "day");
  EXPECT_EQ(tariff.currency().view(), "PLN");
  EXPECT_EQ(tariff.source(), "t.toml");
}

TEST(Tariff, GoesByMonthWeekdayAndHoliday) {
  const Tariff tariff = TariffOf(kSeasons);
  EXPECT_EQ(NameAt(tariff, "2026-01-15T08:00+01:00"), "peak");  // a Thursday
  EXPECT_EQ(NameAt(tariff, "2026-01-15T11:00+01:00"), "winter");
  EXPECT_EQ(NameAt(tariff, "2026-01-17T08:00+01:00"), "weekend");
  EXPECT_EQ(NameAt(tariff, "2026-04-01T00:00+01:00"), "summer");
  EXPECT_EQ(NameAt(tariff, "2026-03-31T23:59+01:00"), "winter");
  EXPECT_EQ(NameAt(tariff, "2026-12-24T08:00+01:00"), "peak");
  EXPECT_EQ(NameAt(tariff, "2026-12-25T08:00+01:00"), "weekend");  // a Friday
  EXPECT_EQ(tariff.source(), "contract 7");
  EXPECT_EQ(tariff.date(), "2026-01");
}

// The hour that comes twice is two hours of night; that which never comes is
// none.
TEST(Tariff, ADayOfChangingClocksHasItsHours) {
  const Tariff tariff = TariffOf(kDayAndNight);
  const auto autumn = tariff.SharesOver(Time("2026-10-24T22:00Z"), Hours(25));
  EXPECT_NEAR(autumn[1], 9.0 / 25, 1e-12);
  const auto spring = tariff.SharesOver(Time("2026-03-28T23:00Z"), Hours(23));
  EXPECT_NEAR(spring[1], 7.0 / 23, 1e-12);
}

TEST(Tariff, EdgesAreWhereTheBandChanges) {
  const Tariff tariff = TariffOf(kDayAndNight);
  WallTime at = Time("2026-03-28T12:30:10Z");
  std::vector<std::string> edges;
  for (int i = 0; i < 3; ++i) {
    const std::string before = tariff.At(at).name;
    at = tariff.NextEdge(at);
    EXPECT_NE(tariff.At(at).name, before);
    EXPECT_EQ(tariff.At({at.micros - 1}).name, before);
    edges.push_back(std::to_string(at.micros / 60'000'000 % 1440));
  }
  // 22:00 and, once clocks have gone forward, 06:00 and 22:00, in UTC.
  EXPECT_THAT(edges, ElementsAre("1260", "240", "1200"));
  const Tariff flat = TariffOf(
      "zone = \"UTC\"\ncurrency = \"EUR\"\n[[band]]\nname = \"all\"\n"
      "price = 0.3\n");
  EXPECT_GE(flat.NextEdge(at).micros, at.micros + 47 * int64_t{3'600'000'000});
}

// Of any stretch: shares sum to one and to those of its halves.
TEST(Tariff, SharesAddUp) {
  const Tariff tariff = TariffOf(kSeasons);
  for (int i = 0; i < 200; ++i) {
    const WallTime from{Time("2026-01-01T00:00Z").micros +
                        i * int64_t{155'555'555'555}};
    const Seconds whole(1 + 997.3 * i);
    const auto all = tariff.SharesOver(from, whole);
    EXPECT_NEAR(std::accumulate(all.begin(), all.end(), 0.0), 1, 1e-9);
    const WallTime half{from.micros +
                        static_cast<int64_t>(whole.value() / 2 * 1e6)};
    const auto first = tariff.SharesOver(from, whole / 2);
    const auto second = tariff.SharesOver(half, whole / 2);
    for (size_t band = 0; band < all.size(); ++band)
      EXPECT_NEAR(all[band], (first[band] + second[band]) / 2, 1e-5);
  }
}

TEST(Tariff, MeanOfAllHours) {
  const Tariff tariff = TariffOf(kDayAndNight);
  EXPECT_NEAR(tariff.mean(), (16 * 1.2 + 8 * 0.4) / 24, 1e-12);
  EXPECT_NEAR(tariff.sd(), 0.8 * std::sqrt(2.0 / 9), 1e-9);
}

EnergySlice Slice(std::string_view began, double hours, double joules) {
  return {Time(began), Hours(hours), Joules(joules)};
}

TEST(PriceOf, WeighsByEnergy) {
  const Tariff tariff = TariffOf(kDayAndNight);
  const std::vector<EnergySlice> slices = {Slice("2026-01-15T05:00Z", 1, 300),
                                           Slice("2026-01-15T22:00Z", 1, 100)};
  const TariffPrice price = PriceOf(tariff, slices);
  EXPECT_NEAR(price.paid.mean, 0.75 * 1.2 + 0.25 * 0.4, 1e-12);
  EXPECT_EQ(price.sd, 0);
  EXPECT_EQ(price.paid.by_time, 0);
  ASSERT_EQ(price.paid.bands.size(), 2U);
  EXPECT_EQ(price.paid.bands[1].name, "night");
  EXPECT_NEAR(price.paid.bands[1].share, 0.25, 1e-12);
}

// Split by time, with an error that reaches as far as that may be wrong.
TEST(PriceOf, ASliceOfTwoBandsIsSplitByTime) {
  const Tariff tariff = TariffOf(kDayAndNight);
  const std::vector<EnergySlice> slices = {Slice("2026-01-15T04:00Z", 2, 100)};
  const TariffPrice price = PriceOf(tariff, slices);
  EXPECT_NEAR(price.paid.mean, 0.8, 1e-12);
  EXPECT_NEAR(price.sd, 0.4, 1e-12);
  EXPECT_EQ(price.paid.by_time, 1);
  // Two seconds beyond an edge are no doubt.
  const std::vector<EnergySlice> late = {
      {Time("2026-01-15T04:30Z"), Seconds(1801), Joules(9)}};
  EXPECT_EQ(PriceOf(tariff, late).paid.by_time, 0);
}

// However it is cut, the price is between the cheapest and the dearest band,
// the shares are one, and cutting at edges leaves nothing to time.
TEST(PriceOf, IsAMeanWhateverTheSlices) {
  const Tariff tariff = TariffOf(kSeasons);
  WallTime at = Time("2026-03-29T22:00Z");
  std::vector<EnergySlice> cut;
  Joules whole;
  for (int i = 0; i < 20; ++i) {
    const WallTime edge = tariff.NextEdge(at);
    const Seconds wall(static_cast<double>(edge.micros - at.micros) / 1e6);
    cut.push_back({at, wall, Joules(7.0 * (i % 5))});
    whole += cut.back().energy;
    at = edge;
  }
  const TariffPrice measured = PriceOf(tariff, cut);
  EXPECT_EQ(measured.paid.by_time, 0);
  double shares = 0, money = 0;
  for (const PaidBand& band : measured.paid.bands) shares += band.share;
  for (const EnergySlice& slice : cut)
    money += slice.energy.value() * tariff.At(slice.began).price;
  EXPECT_NEAR(shares, 1, 1e-9);
  EXPECT_NEAR(measured.paid.mean * whole.value(), money, 1e-9);
}

TEST(PriceOf, NothingUsedGoesByTime) {
  const Tariff tariff = TariffOf(kDayAndNight);
  const std::vector<EnergySlice> slices = {Slice("2026-01-15T22:00Z", 1, 0)};
  EXPECT_NEAR(PriceOf(tariff, slices).paid.mean, 0.4, 1e-12);
  EXPECT_EQ(PriceOf(tariff, {}).paid.mean, 0);
}

// ---- Faults ----------------------------------------------------------------

Error TariffErrorOf(const std::string& toml) {
  const auto tariff = Tariff::Parse(toml, "t.toml");
  EXPECT_FALSE(tariff) << toml;
  return tariff ? Error{} : tariff.error();
}
std::string Changed(std::string text, std::string_view from,
                    std::string_view to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(TariffFile, AGapIsNamed) {
  const Error error = TariffErrorOf(
      Changed(kDayAndNight, "\"06:00-22:00\"", "\"07:00-22:00\""));
  EXPECT_EQ(error.code, ErrorCode::kInvalidInput);
  EXPECT_EQ(error.message,
            "t.toml: no band covers Monday 06:00 to 07:00 in January");
  EXPECT_EQ(error.hint,
            "every minute has one price: add a [[band]], or hours to one");
  EXPECT_EQ(
      TariffErrorOf(Changed(kSeasons, "\"apr-sep\"", "\"apr-aug\"")).message,
      "t.toml: no band covers Monday 00:00 to 24:00 in September");
}

TEST(TariffFile, AnOverlapIsNamed) {
  const Error error = TariffErrorOf(
      Changed(kDayAndNight, "\"22:00-06:00\"", "\"21:30-06:00\""));
  EXPECT_EQ(error.message,
            "t.toml:7: 'day' and 'night' both cover Monday 21:30 to 22:00 in "
            "January");
  EXPECT_EQ(error.hint,
            "every minute has one price: change months, days or hours of one");
}

TEST(TariffFile, EachFaultIsSaid) {
  const auto expect = [](std::string_view from, std::string_view to,
                         std::string_view message) {
    EXPECT_EQ(TariffErrorOf(Changed(kSeasons, from, to)).message, message);
  };
  expect("\"+01:00\"", "\"Mars/Base\"", "t.toml:1: zone 'Mars/Base' is none");
  expect("\"+01:00\"", "\"/etc/passwd\"",
         "t.toml:1: zone '/etc/passwd' is none");
  expect("\"+01:00\"", "\"localtime\"", "t.toml:1: zone 'localtime' is none");
  expect("\"EUR\"", "\"euro\"", "t.toml:2: currency 'euro' is none");
  expect("2026-12-25", "2026-02-30",
         "t.toml:5: holidays has '2026-02-30', which is no date");
  expect("price = 0.5", "price = -0.5",
         "t.toml:8: band.price -0.5 is outside 0 to 1e6");
  expect("price = 0.5", "price = nan",
         "t.toml:8: band.price must be a finite number");
  expect("price = 0.5", "", "t.toml:6: [band] has no 'price'");
  expect("\"winter\"", "\"peak\"",
         "t.toml:13: band.name 'peak' is there twice");
  expect("\"mon-fri\"", "\"mon-fry\"",
         "t.toml:10: band.days has 'fry', did you mean 'fri'?");
  expect("\"oct-mar\"", "\"winter\"", "t.toml:9: band.months has 'winter'");
  expect("07:00-11:00", "7-11",
         "t.toml:11: band.hours has '7-11', which is no range of hours");
  expect("07:00-11:00", "07:00-07:00",
         "t.toml:11: band.hours has '07:00-07:00', which is no range of "
         "hours");
  expect("months =", "month =",
         "t.toml:9: unknown key 'month' in [band], did you mean 'months'?");
  expect("source", "sourc",
         "t.toml:3: unknown key 'sourc' at the top, did you mean 'source'?");
}

TEST(TariffFile, WhatIsNoTariff) {
  EXPECT_EQ(
      TariffErrorOf("zone = \"UTC\"\ncurrency = \"EUR\"\nband = 1\n").message,
      "t.toml:3: band must be a list of 1 to 100 tables");
  EXPECT_EQ(TariffErrorOf("zone = \"UTC\"\ncurrency = \"EUR\"\n").message,
            "t.toml:1: there is no 'band'");
  EXPECT_THAT(TariffErrorOf("zone = \n").message, HasSubstr("t.toml:1:"));
  EXPECT_EQ(TariffErrorOf(std::string((1 << 20) + 1, '#')).message,
            "t.toml: larger than 1 MiB");
  EXPECT_EQ(Tariff::Read("none.toml").error().message,
            "cannot read none.toml: No such file or directory");
}

}  // namespace
}  // namespace modicum
