// SPDX-License-Identifier: Apache-2.0
#include "place/place.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/suggest.h"
#include "place/tables.h"
#include "place/tariff.h"

namespace modicum {
namespace {

// A figure of somewhere else stands in for a place's own: at least as wide as
// places differ (data/water.csv: sd of ln 0.65, capped).
constexpr double kStandInSd = 0.6;

constexpr std::string_view kTariffName = "electricity price";
constexpr std::string_view kIntensityName = "grid intensity";

constexpr std::string_view kWhichHolds =
    "leave one out; `modicum doctor --settings` says where each comes from";

// What an override may be. The dirtiest grid is below 1,400 g/kWh; a PUE above
// 5 or water above 50 L/kWh is a slip of units.
struct Bounds {
  std::string_view what;
  std::string_view unit;
  double low;
  double high;
  std::string_view hint;
};
constexpr Bounds kIntensityBounds = {
    "grid intensity", " gCO2e/kWh", 0, 3000,
    "give grams of CO2e per kilowatt-hour: --intensity 420"};
constexpr Bounds kMarketBounds = {
    "market-based intensity", " gCO2e/kWh", 0, 3000,
    "give grams of CO2e per kilowatt-hour of the contract, 0 where it is all "
    "renewable: --market-intensity 0"};
constexpr Bounds kPueBounds = {
    "PUE", "", 1, 5, "facility energy over IT energy, at least 1: --pue 1.2"};
constexpr Bounds kWueBounds = {
    "WUE", " L/kWh", 0, 50,
    "give litres per kilowatt-hour of IT energy: --wue 0.4"};
constexpr Bounds kTariffBounds = {
    "tariff", " per kWh", 0, 1e6,
    "give the price of one kilowatt-hour: --tariff 0.25 --currency EUR"};

Status CheckBounds(const std::optional<double>& value, const Bounds& bounds) {
  // Written so that NaN fails too.
  if (!value || (*value >= bounds.low && *value <= bounds.high)) return {};
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("{} {:g}{} is outside {:g} to {:g}", bounds.what,
                          *value, bounds.unit, bounds.low, bounds.high),
              std::string(bounds.hint));
}

Result<Currency> ParseCurrency(const std::string& text) {
  Currency currency;
  const bool valid =
      text.size() == 3 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
      });
  if (!valid)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("currency '{}' is not an ISO 4217 code", text),
                "three letters: EUR, USD, GBP");
  for (size_t i = 0; i < 3; ++i)
    currency.code[i] = static_cast<char>(text[i] & ~0x20);  // upper case
  return currency;
}

// ", did you mean 'Germany'?" for 'germny'; "" when no name is near.
template <class Rows>
std::string NearName(std::string_view text, const Rows& rows) {
  auto lower = [](std::string_view s) {
    std::string out(s);
    for (char& c : out)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    return out;
  };
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(lower(row.name));
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string near = Nearest(lower(text), views);
  for (const auto& row : rows)
    if (!near.empty() && lower(row.name) == near)
      return fmt::format(", did you mean '{}'?", row.name);
  return "";
}

Result<const Region*> LookUpRegion(const std::string& text) {
  if (const Region* region = FindRegion(text.empty() ? "world" : text))
    return region;
  // A wrong code of two or three letters is near too many names to guess.
  const std::string near = text.size() > 3 ? NearName(text, Regions()) : "";
  return Fail(ErrorCode::kNotFound,
              fmt::format("unknown region '{}'{}", text, near),
              "name a country (Poland, PL or POL), a US state (US-CA), EU or "
              "world");
}

Result<const Provider*> LookUpProvider(const std::string& text) {
  if (const Provider* provider = FindProvider(text.empty() ? "unknown" : text))
    return provider;
  std::string known;
  for (const Provider& provider : Providers())
    known += (known.empty() ? "" : ", ") + provider.id;
  return Fail(
      ErrorCode::kNotFound,
      fmt::format("unknown provider '{}'{}", text, NearName(text, Providers())),
      fmt::format("known are {}; or give --pue and --wue", known));
}

// A figure as an estimate whose whole error is shared under `name`.
template <class Q>
Estimate<Q> Shared(const Figure& figure, Origin origin,
                   const std::string& name) {
  return Exactly(Q(figure.value), origin, Scope::kWall)
      .WithShared(InternSource(name), figure.rel_sd);
}

// What the user stated is taken as stated: a constant without an error.
template <class Q>
Estimate<Q> Given(double value) {
  return Exactly(Q(value), Origin::kAssumed, Scope::kWall);
}

Factor GivenFactor(std::string name, double value, std::string unit) {
  return {std::move(name), value, std::move(unit), "given by the user", ""};
}

Factor PublishedFactor(std::string name, const Figure& figure,
                       std::string unit) {
  return {std::move(name), figure.value, std::move(unit), figure.source,
          figure.date};
}

void SetIntensity(Place& place, const Region& region,
                  const std::optional<double>& given) {
  constexpr char kUnit[] = "gCO2e/kWh";
  if (given) {
    place.intensity = Given<GramsPerKilowattHour>(*given);
    place.factors.push_back(
        GivenFactor(std::string(kIntensityName), *given, kUnit));
    return;
  }
  const Origin origin = place.assumed ? Origin::kAssumed : Origin::kModelled;
  place.intensity = Shared<GramsPerKilowattHour>(
      region.intensity, origin, "grid intensity: " + region.name);
  place.factors.push_back(PublishedFactor(
      fmt::format("{}, {}, average of the year", kIntensityName, region.name),
      region.intensity, kUnit));
}

void SetMarketIntensity(Place& place, const std::optional<double>& given) {
  if (!given) return;
  place.market_intensity = Given<MarketGramsPerKilowattHour>(*given);
  place.factors.push_back(
      GivenFactor("market-based intensity, contract", *given, "gCO2e/kWh"));
}

void SetPue(Place& place, const Provider& provider,
            const std::optional<double>& given) {
  if (given) {
    place.pue = Given<Scalar>(*given);
    place.factors.push_back(GivenFactor("PUE", *given, ""));
    return;
  }
  const Origin origin =
      provider.id == "unknown" ? Origin::kAssumed : Origin::kModelled;
  place.pue = Shared<Scalar>(provider.pue, origin, "PUE: " + provider.name);
  place.factors.push_back(
      PublishedFactor("PUE, " + provider.name, provider.pue, ""));
}

void SetWaterOnsite(Place& place, const Provider& provider,
                    const std::optional<double>& given) {
  if (given) {
    place.water_onsite = Given<LitresPerKilowattHour>(*given);
    place.factors.push_back(GivenFactor("WUE", *given, "L/kWh"));
    return;
  }
  const Origin origin =
      provider.id == "unknown" ? Origin::kAssumed : Origin::kModelled;
  place.water_onsite = Shared<LitresPerKilowattHour>(provider.wue, origin,
                                                     "WUE: " + provider.name);
  place.factors.push_back(
      PublishedFactor("WUE, " + provider.name, provider.wue, "L/kWh"));
}

// The nearest place that has a figure: itself, its country, the world.
std::pair<const Region*, Figure> NearestWater(const Region& region) {
  if (auto own = FindWater(region.code)) return {&region, *own};
  const std::string_view country = CountryOf(region.code);
  const std::string_view stand_in =
      FindWater(country) ? country : std::string_view("world");
  Figure figure = FindWater(stand_in).value();
  figure.rel_sd = std::max(figure.rel_sd, kStandInSd);
  return {FindRegion(stand_in), figure};
}

void SetWaterOffsite(Place& place, const Region& region) {
  const auto [of, figure] = NearestWater(region);
  const bool own = of == &region && !place.assumed;
  place.water_offsite = Shared<LitresPerKilowattHour>(
      figure, own ? Origin::kModelled : Origin::kAssumed, "EWIF: " + of->name);
  place.factors.push_back(PublishedFactor(
      "water of electricity (EWIF), " + of->name, figure, "L/kWh"));
}

// The nearest place that has a price: itself or its country. A world price
// would mean nothing.
std::optional<std::pair<std::string, Price>> NearestPrice(
    const Region& region) {
  if (auto own = FindPrice(region.code)) return {{region.name, *own}};
  const std::string_view country = CountryOf(region.code);
  if (auto price = FindPrice(country))
    return {{FindRegion(country)->name, *price}};
  return std::nullopt;
}

Status SetGivenTariff(Place& place, double tariff, const std::string& text) {
  if (text.empty())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("tariff {:g} has no currency", tariff),
                "name it: --currency EUR");
  MODICUM_TRY(place.currency, ParseCurrency(text));
  place.tariff = Given<AmountPerKilowattHour>(tariff);
  place.factors.push_back(
      GivenFactor(TariffName(place, ""), tariff,
                  std::string(place.currency.view()) + "/kWh"));
  return {};
}

Status SetTariffByTheHour(Place& place, const PlaceQuery& query) {
  if (query.tariff)
    return Fail(ErrorCode::kInvalidInput,
                "a tariff and a tariff file are set, which of them holds?",
                std::string(kWhichHolds));
  MODICUM_TRY(const Tariff tariff, Tariff::Read(query.tariff_file));
  place.currency = tariff.currency();
  place.tariff = Given<AmountPerKilowattHour>(tariff.mean());
  place.tariff->WithShared(
      InternSource("tariff, which hour: " + query.tariff_file),
      tariff.mean() > 0 ? tariff.sd() / tariff.mean() : 0);
  place.factors.push_back({TariffName(place, ", mean of all hours"),
                           tariff.mean(),
                           std::string(place.currency.view()) + "/kWh",
                           tariff.source(), tariff.date()});
  return {};
}

Status SetTariff(Place& place, const Region& region, const PlaceQuery& query) {
  if (!query.tariff_file.empty()) return SetTariffByTheHour(place, query);
  const auto nearest = NearestPrice(region);
  const std::string own = nearest ? nearest->second.currency : "";
  if (query.tariff)
    return SetGivenTariff(place, *query.tariff,
                          query.currency.empty() ? own : query.currency);
  if (!nearest) return {};
  const Figure& price = nearest->second.per_kwh;
  MODICUM_TRY(place.currency, ParseCurrency(own));
  place.tariff = Shared<AmountPerKilowattHour>(price, Origin::kModelled,
                                               "tariff: " + nearest->first);
  place.factors.push_back(PublishedFactor(
      TariffName(place, ", " + nearest->first), price, own + "/kWh"));
  return {};
}

std::string PlaceName(const Region& region, const PlaceQuery& query) {
  if (!query.region.empty())
    return query.asked.empty()
               ? region.name
               : fmt::format("{} ({})", region.name, query.asked);
  if (query.intensity) return "place not named";
  return query.asked.empty()
             ? region.name + " (assumed)"
             : fmt::format("{} (assumed: {})", region.name, query.asked);
}

}  // namespace

std::string TariffName(const Place& place, std::string_view of) {
  return fmt::format("{}{}{}", kTariffName, of,
                     place.rented ? " (part of the rent)" : "");
}

bool IsIntensity(const Factor& factor) {
  return factor.name.starts_with(kIntensityName);
}

bool IsTariff(const Factor& factor) {
  return factor.name.starts_with(kTariffName);
}

Result<Place> FindPlace(const PlaceQuery& query) {
  MODICUM_RETURN_IF_ERROR(CheckBounds(query.intensity, kIntensityBounds));
  MODICUM_RETURN_IF_ERROR(CheckBounds(query.market_intensity, kMarketBounds));
  MODICUM_RETURN_IF_ERROR(CheckBounds(query.pue, kPueBounds));
  MODICUM_RETURN_IF_ERROR(CheckBounds(query.wue, kWueBounds));
  MODICUM_RETURN_IF_ERROR(CheckBounds(query.tariff, kTariffBounds));
  if (query.intensity && !query.intensity_file.empty())
    return Fail(ErrorCode::kInvalidInput,
                "an intensity and an intensity file are set, which of them "
                "holds?",
                std::string(kWhichHolds));
  MODICUM_TRY(const Region* region, LookUpRegion(query.region));
  MODICUM_TRY(const Provider* provider, LookUpProvider(query.provider));
  Place place;
  place.id = region->code;
  place.name = PlaceName(*region, query);
  place.assumed = query.region.empty() && !query.intensity;
  place.rented = provider->rented;
  SetIntensity(place, *region, query.intensity);
  SetMarketIntensity(place, query.market_intensity);
  SetPue(place, *provider, query.pue);
  SetWaterOnsite(place, *provider, query.wue);
  SetWaterOffsite(place, *region);
  MODICUM_RETURN_IF_ERROR(SetTariff(place, *region, query));
  return place;
}

Estimate<GramsCo2e> OperationalCarbon(const Estimate<Joules>& it_energy,
                                      const Place& place) {
  return it_energy * place.pue * place.intensity;
}

std::optional<Estimate<MarketGramsCo2e>> MarketCarbon(
    const Estimate<Joules>& it_energy, const Place& place) {
  if (!place.market_intensity) return std::nullopt;
  return it_energy * place.pue * *place.market_intensity;
}

Estimate<Litres> WaterUse(const Estimate<Joules>& it_energy,
                          const Place& place) {
  return it_energy * (place.water_onsite + place.water_offsite * place.pue);
}

std::optional<MoneyEstimate> ElectricityCost(const Estimate<Joules>& it_energy,
                                             const Place& place) {
  if (!place.tariff) return std::nullopt;
  return MoneyEstimate{it_energy * place.pue * *place.tariff, place.currency};
}

}  // namespace modicum
