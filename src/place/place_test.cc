// SPDX-License-Identifier: Apache-2.0
#include "place/place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::Field;

Estimate<Joules> Exact(Joules energy) {
  return Exactly(energy, Origin::kCounter, Scope::kPackage);
}

Place Find(const PlaceQuery& query) {
  auto place = FindPlace(query);
  EXPECT_TRUE(place.has_value()) << place.error().message;
  return *std::move(place);
}

Error Refusal(const PlaceQuery& query) {
  auto place = FindPlace(query);
  EXPECT_FALSE(place.has_value());
  return place ? Error{} : place.error();
}

TEST(FindPlace, NothingSetIsTheWorldAverageAndSaysSo) {
  const Place place = Find({});
  EXPECT_TRUE(place.assumed);
  EXPECT_EQ(place.id, "world");
  EXPECT_EQ(place.name, "world average (assumed)");
  EXPECT_EQ(place.intensity.origin, Origin::kAssumed);
  EXPECT_FALSE(place.tariff.has_value());
  EXPECT_FALSE(Find({.region = "world"}).assumed);
}

TEST(FindPlace, AnUnknownPlaceIsLessCertainThanAKnownOne) {
  const auto relative = [](const Place& place) {
    return place.intensity.sd() / place.intensity.mid.value();
  };
  EXPECT_GT(relative(Find({})), 2 * relative(Find({.region = "PL"})));
}

TEST(FindPlace, ByNameAlpha2Alpha3AndState) {
  for (const char* region : {"PL", "POL", "Poland", "poland"})
    EXPECT_EQ(Find({.region = region}).name, "Poland");
  EXPECT_EQ(Find({.region = "US-CA"}).name, "California");
}

TEST(FindPlace, EveryFactorHasSourceAndDate) {
  for (const char* region : {"", "PL", "DE", "US-CA", "US-TX", "NP"}) {
    const Place place = Find({.region = region});
    EXPECT_EQ(place.factors.size(), place.tariff ? 5u : 4u);
    for (const Factor& factor : place.factors) {
      EXPECT_FALSE(factor.source.empty()) << factor.name;
      EXPECT_FALSE(factor.date.empty()) << factor.name;
    }
  }
}

// Golden: what a bill of this place shows.
TEST(FindPlace, FactorsOfAWellKnownPlace) {
  const Place place = Find({.region = "DE", .provider = "aws"});
  EXPECT_THAT(
      place.factors,
      ElementsAre(
          testing::AllOf(
              Field(&Factor::name,
                    "grid intensity, Germany, average of the year"),
              Field(&Factor::value, 342.06), Field(&Factor::unit, "gCO2e/kWh"),
              Field(&Factor::source, "Ember via @tgwf/co2 (CC BY-SA 4.0)"),
              Field(&Factor::date, "2024-2025")),
          testing::AllOf(Field(&Factor::name, "PUE, AWS"),
                         Field(&Factor::value, 1.14),
                         Field(&Factor::date, "2025")),
          testing::AllOf(Field(&Factor::name, "WUE, AWS"),
                         Field(&Factor::value, 0.12),
                         Field(&Factor::unit, "L/kWh")),
          testing::AllOf(
              Field(&Factor::name, "water of electricity (EWIF), Germany"),
              Field(&Factor::value, 1.93), Field(&Factor::source, "WRI 2020")),
          testing::AllOf(Field(&Factor::name,
                               "electricity price, Germany (part of the rent)"),
                         Field(&Factor::value, 0.2264),
                         Field(&Factor::unit, "EUR/kWh"),
                         Field(&Factor::date, "2025-S2"))));
  EXPECT_TRUE(place.rented);
  EXPECT_FALSE(Find({.region = "DE"}).rented);
}

TEST(FindPlace, OverridesReplaceAndAreNamedAsGiven) {
  const Place place = Find({.region = "PL",
                            .provider = "gcp",
                            .intensity = 45,
                            .pue = 1.3,
                            .wue = 0.2,
                            .tariff = 1.1,
                            .currency = "pln"});
  EXPECT_DOUBLE_EQ(place.intensity.mid.value(), 45);
  EXPECT_DOUBLE_EQ(place.intensity.sd(), 0);
  EXPECT_DOUBLE_EQ(place.pue.mid.value(), 1.3);
  EXPECT_DOUBLE_EQ(place.water_onsite.mid.value(), 0.2);
  EXPECT_DOUBLE_EQ(place.tariff->mid.value(), 1.1);
  EXPECT_EQ(place.currency.view(), "PLN");
  int given = 0;
  for (const Factor& factor : place.factors)
    given += factor.source == "given by the user";
  EXPECT_EQ(given, 4);
}

TEST(FindPlace, AnOwnIntensityIsNotTheWorldAverage) {
  const Place place = Find({.intensity = 45});
  EXPECT_FALSE(place.assumed);
  EXPECT_EQ(place.name, "place not named");
}

TEST(FindPlace, AnOwnTariffTakesThePlacesCurrency) {
  EXPECT_EQ(Find({.region = "US-WY", .tariff = 0.1}).currency.view(), "USD");
  const Error error = Refusal({.region = "PE", .tariff = 0.1});
  EXPECT_EQ(error.code, ErrorCode::kInvalidInput);
  EXPECT_EQ(error.message, "tariff 0.1 has no currency");
  EXPECT_EQ(error.hint, "name it: --currency EUR");
}

TEST(FindPlace, AStandInIsWiderAndCarriesItsOwnName) {
  const Place wyoming = Find({.region = "US-WY"});
  EXPECT_EQ(wyoming.factors[3].name,
            "water of electricity (EWIF), United States");
  EXPECT_EQ(wyoming.factors[4].name, "electricity price, United States");
  EXPECT_EQ(wyoming.water_offsite.origin, Origin::kAssumed);
  const Place country = Find({.region = "US"});
  EXPECT_GT(wyoming.water_offsite.sd(), country.water_offsite.sd());
  EXPECT_EQ(country.water_offsite.origin, Origin::kModelled);
  EXPECT_EQ(Find({.region = "Nepal"}).factors[3].name,
            "water of electricity (EWIF), world average");
}

TEST(FindPlace, UnknownRegion) {
  const Error near = Refusal({.region = "Germny"});
  EXPECT_EQ(near.code, ErrorCode::kNotFound);
  EXPECT_EQ(near.message, "unknown region 'Germny', did you mean 'Germany'?");
  EXPECT_EQ(near.hint,
            "name a country (Poland, PL or POL), a US state (US-CA), EU or "
            "world");
  EXPECT_EQ(Refusal({.region = "XZ"}).message, "unknown region 'XZ'");
}

TEST(FindPlace, UnknownProvider) {
  const Error error = Refusal({.provider = "azur"});
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_EQ(error.message, "unknown provider 'azur', did you mean 'Azure'?");
  EXPECT_EQ(error.hint,
            "known are aws, azure, gcp, on-prem, none, unknown; or give --pue "
            "and --wue");
}

TEST(FindPlace, ImpossibleFactorsAreRefused) {
  const Error intensity = Refusal({.intensity = -5});
  EXPECT_EQ(intensity.code, ErrorCode::kInvalidInput);
  EXPECT_EQ(intensity.message,
            "grid intensity -5 gCO2e/kWh is outside 0 to 3000");
  EXPECT_EQ(intensity.hint,
            "give grams of CO2e per kilowatt-hour: --intensity 420");
  EXPECT_EQ(Refusal({.pue = 0.9}).message, "PUE 0.9 is outside 1 to 5");
  EXPECT_EQ(Refusal({.wue = 51}).message, "WUE 51 L/kWh is outside 0 to 50");
  EXPECT_EQ(Refusal({.tariff = -0.1, .currency = "EUR"}).message,
            "tariff -0.1 per kWh is outside 0 to 1e+06");
  EXPECT_EQ(Refusal({.tariff = 0.1, .currency = "euro"}).message,
            "currency 'euro' is not an ISO 4217 code");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(Refusal({.pue = nan}).code, ErrorCode::kInvalidInput);
  EXPECT_TRUE(FindPlace({.intensity = 0, .pue = 1}).has_value());
}

TEST(FindPlace, PricesByTheHourAreTheirMean) {
  const std::string file = testing::TempDir() + "modicum-tariff.toml";
  std::ofstream(file) << "zone = \"UTC\"\ncurrency = \"PLN\"\n"
                         "[[band]]\nname = \"day\"\nprice = 1.2\n"
                         "hours = \"06:00-22:00\"\n"
                         "[[band]]\nname = \"night\"\nprice = 0.6\n"
                         "hours = \"22:00-06:00\"\n";
  const auto place = FindPlace({.region = "PL", .tariff_file = file});
  ASSERT_TRUE(place) << place.error().message;
  EXPECT_EQ(place->currency.view(), "PLN");
  EXPECT_NEAR(place->tariff->mid.value(), 1, 1e-9);
  // Which hour it will be is not known.
  EXPECT_NEAR(place->tariff->sd(), 0.6 * std::sqrt(2.0 / 9), 1e-9);
  EXPECT_EQ(place->factors.back().name, "electricity price, mean of all hours");
  EXPECT_TRUE(IsTariff(place->factors.back()));
  const auto both =
      FindPlace({.region = "PL", .tariff = 1, .tariff_file = file});
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().message,
            "a tariff and a tariff file are set, which of them holds?");
  EXPECT_EQ(FindPlace({.tariff_file = "none.toml"}).error().code,
            ErrorCode::kNotFound);
}

TEST(FindPlace, OneIntensityHolds) {
  EXPECT_EQ(Refusal({.intensity = 45, .intensity_file = "i.csv"}).message,
            "an intensity and an intensity file are set, which of them holds?");
}

TEST(MarketCarbon, StandsBesideTheGridsAndMayBeZero) {
  const Place grid = Find({.region = "PL"});
  const auto energy = Exact(KilowattHours(10));
  EXPECT_FALSE(MarketCarbon(energy, grid));
  const Place contract =
      Find({.region = "PL", .market_intensity = 20, .pue = 1.5});
  EXPECT_DOUBLE_EQ(MarketCarbon(energy, contract)->mid.value(), 300);
  EXPECT_EQ(contract.intensity.mid, grid.intensity.mid);
  EXPECT_EQ(contract.factors[1].name, "market-based intensity, contract");
  EXPECT_EQ(contract.factors[1].source, "given by the user");
  const Place renewable = Find({.region = "PL", .market_intensity = 0});
  EXPECT_EQ(MarketCarbon(energy, renewable)->mid, MarketGramsCo2e(0));
  EXPECT_EQ(Refusal({.market_intensity = -1}).message,
            "market-based intensity -1 gCO2e/kWh is outside 0 to 3000");
}

// GPT-3's training: 1,287 MWh, the building's 1.10 included, at 429 g/kWh are
// 552 t (Patterson et al., arXiv:2104.10350).
TEST(OperationalCarbon, PublishedExample) {
  const Place place = Find({.intensity = 429, .pue = 1.1});
  const auto it_energy = Exact(KilowattHours(1287e3 / 1.1));
  EXPECT_NEAR(OperationalCarbon(it_energy, place).mid.value() / 1e6, 552.1,
              0.1);
}

// 4 Wh x (0.55 + 1.17 x 3.142) = 16.9 mL (Li et al., arXiv:2304.03271).
TEST(WaterUse, PublishedExample) {
  Place place = Find({.region = "US", .pue = 1.17, .wue = 0.55});
  place.water_offsite =
      Exactly(LitresPerKilowattHour(3.142), Origin::kModelled, Scope::kWall);
  const auto water = WaterUse(Exact(KilowattHours(0.004)), place);
  EXPECT_NEAR(water.mid.value() * 1000, 16.9, 0.05);
}

TEST(WaterUse, OnSiteWaterIsPerItEnergy) {
  Place place = Find({.region = "US", .pue = 2, .wue = 1});
  place.water_offsite =
      Exactly(LitresPerKilowattHour(0), Origin::kModelled, Scope::kWall);
  EXPECT_DOUBLE_EQ(WaterUse(Exact(KilowattHours(1)), place).mid.value(), 1);
}

TEST(ElectricityCost, PaysForTheFacility) {
  const Place place =
      Find({.region = "DE", .pue = 1.5, .tariff = 0.2, .currency = "EUR"});
  const auto money = ElectricityCost(Exact(KilowattHours(10)), place);
  ASSERT_TRUE(money.has_value());
  EXPECT_NEAR(money->amount.mid.value(), 3, 1e-12);
  EXPECT_EQ(money->currency.view(), "EUR");
  EXPECT_FALSE(ElectricityCost(Exact(KilowattHours(10)), Find({})).has_value());
}

TEST(OperationalCarbon, FactorsCancelBetweenRunsInOnePlace) {
  const Place place = Find({.region = "PL", .provider = "aws"});
  const auto a = OperationalCarbon(Exact(Joules(100)), place);
  const auto b = OperationalCarbon(
      Exact(Joules(770)), Find({.region = "POL", .provider = "amazon"}));
  EXPECT_GT(a.sd() / a.mid.value(), 0.2);
  EXPECT_NEAR(Ratio(b, a).mid.value(), 7.7, 1e-9);
  EXPECT_NEAR(Ratio(b, a).sd(), 0, 1e-9);
  const auto elsewhere = OperationalCarbon(
      Exact(Joules(100)), Find({.region = "FR", .provider = "aws"}));
  EXPECT_GT(Ratio(elsewhere, a).sd(), 0.01);
}

// The factors alone never make an interval reach below zero.
TEST(OperationalCarbon, IntervalIsAboveZeroEvenWhenNothingIsKnown) {
  for (const char* region : {"", "EU", "US-WY", "NP"}) {
    const Place place = Find({.region = region});
    const auto energy = Exact(Joules(1000));
    const auto carbon = OperationalCarbon(energy, place);
    EXPECT_GT(carbon.low().value(), carbon.mid.value() / 3) << region;
    const auto water = WaterUse(energy, place);
    EXPECT_GT(water.low().value(), water.mid.value() / 3) << region;
  }
}

}  // namespace
}  // namespace modicum
