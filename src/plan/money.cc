// SPDX-License-Identifier: Apache-2.0
#include "plan/money.h"

#include <array>
#include <cmath>

namespace modicum {
namespace {

// P10 to P90 of prices is 1.5 each way: a specialised cloud's reservation to a
// large one's list price.
const double kPriceSd = std::log(1.5) / kZ80;
// Server, network and storage beside the device; assumed, as 350,000 devices
// for 10 billion USD are 28,600 each, all included.
constexpr double kAllIn = 1.3;
constexpr double kHoursPerYear = 8766;

// Average exchange rates of 2024, European Central Bank.
struct Rate {
  std::string_view currency;
  double usd;
};
constexpr std::array<Rate, 4> kRates{
    {{"USD", 1}, {"EUR", 1.082}, {"GBP", 1.278}, {"CHF", 1.136}}};

double UsdOf(std::string_view currency) {
  for (const Rate& rate : kRates)
    if (rate.currency == currency) return rate.usd;
  return 0;
}

}  // namespace

Spread WaterPerKwh(const Place& place) {
  return SpreadOf(place.water_onsite + place.water_offsite * place.pue);
}

Spread EmbodiedPerHour(const Accelerator& chip) {
  constexpr double kServer = 2.5e6 / 8;  // grams per device
  constexpr double kHours = 6 * kHoursPerYear * 0.85;
  const double device = chip.embodied_kg.value_or(150) * 1e3;
  // Published of one device: 14.7 to 318 kg; lives of 3 to 6 years.
  const double sd = chip.embodied_kg ? 0.4 : 0.6;
  return {(device + kServer) / kHours, sd};
}

Spread RentOf(const Accelerator& chip) {
  return {chip.rent_usd.value_or(0), chip.rent_usd ? kPriceSd : 0};
}

Spread HardwareOf(const Accelerator& chip, const OwnCost& own) {
  const double hours = own.years * kHoursPerYear * own.utilization;
  return {chip.buy_usd.value_or(0) * kAllIn / hours,
          chip.buy_usd ? kPriceSd : 0};
}

Spread TariffUsd(const Place& place) {
  const double rate = UsdOf(place.currency.view());
  if (!place.tariff || rate == 0) return {0.10, 0.4};
  return SpreadOf(*place.tariff) * rate;
}

}  // namespace modicum
