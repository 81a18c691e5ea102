// SPDX-License-Identifier: Apache-2.0
// What a joule costs somewhere: carbon, water, money. Every factor carries
// its source and date.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/estimate.h"
#include "base/result.h"
#include "record/types.h"

namespace modicum {

// From settings or a task file; empty fields take the place's own values.
// The braces let a designated initialiser leave fields out.
struct PlaceQuery {
  std::string region{};    // ISO 3166 alpha-2/3 or name, "US-CA", "world"; ""
  std::string provider{};  // "aws", "gcp", "azure", "on-prem", ...; "" unknown
  std::optional<double> intensity{};  // gCO2e/kWh, the grid's average
  std::string intensity_file{};       // by the hour, instead of `intensity`
  std::optional<double> market_intensity{};  // gCO2e/kWh, of the contract
  std::optional<double> pue{};
  std::optional<double> wue{};     // L/kWh
  std::optional<double> tariff{};  // major units per kWh
  std::string currency{};          // of `tariff`; "" = the place's
  std::string tariff_file{};       // prices by the hour, instead of `tariff`
  // How a cloud answered when it was asked for the region; "": it was not.
  std::string asked{};
};

// An unknown region or provider is kNotFound with "did you mean".
// Factors outside physical bounds (intensity < 0, PUE < 1) are kInvalidInput.
// Of prices by the hour the place has the mean of all hours; of intensities by
// the hour the region's average, which stands in where they have no figure.
Result<Place> FindPlace(const PlaceQuery& query);

// The name of a price among a place's factors; `of` is "" or ", Germany".
std::string TariffName(const Place& place, std::string_view of);
// Whether it has such a name.
bool IsTariff(const Factor& factor);
// Whether it is the grid's intensity.
bool IsIntensity(const Factor& factor);

// operational = energy x PUE x intensity, location-based or, where a contract
// is given, also market-based (GHG Protocol, Scope 2);
// water = energy x (WUE + PUE x EWIF): WUE is per IT energy (The Green Grid);
// money = energy x PUE x tariff.
Estimate<GramsCo2e> OperationalCarbon(const Estimate<Joules>& it_energy,
                                      const Place& place);
std::optional<Estimate<MarketGramsCo2e>> MarketCarbon(
    const Estimate<Joules>& it_energy, const Place& place);
Estimate<Litres> WaterUse(const Estimate<Joules>& it_energy,
                          const Place& place);
std::optional<MoneyEstimate> ElectricityCost(const Estimate<Joules>& it_energy,
                                             const Place& place);

// "0.3 phone charges", with the factor behind it.
struct Equivalence {
  std::string what;  // "phone charges", "km by car", "hours of streaming"
  Estimate<Scalar> count;
  Factor factor;
};
std::vector<Equivalence> Equivalences(const Estimate<Joules>& facility_energy,
                                      const Estimate<GramsCo2e>& carbon);

}  // namespace modicum
