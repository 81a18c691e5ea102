// SPDX-License-Identifier: Apache-2.0
// The tables of data/ that describe places, as rows. Read once, on first use.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace modicum {

// A published figure with its relative error (1 sd).
struct Figure {
  double value = 0;
  double rel_sd = 0;
  std::string source;
  std::string date;
};

// A country, a US state, the EU or the world.
struct Region {
  std::string code;  // "PL", "US-CA", "EU", "world"
  std::string iso3;  // "POL"; empty for a US state
  std::string name;
  Figure intensity;  // gCO2e/kWh
};

struct Provider {
  std::string id;                    // "aws"
  std::vector<std::string> aliases;  // "amazon"
  std::string name;                  // "AWS"
  Figure pue;
  Figure wue;           // L/kWh of IT energy
  bool rented = false;  // its price already includes the electricity
};

struct Price {
  Figure per_kwh;
  std::string currency;
};

// Countries first, then US states: a name that both have means the country.
const std::vector<Region>& Regions();
const std::vector<Provider>& Providers();

// By code, alpha-3 code or English name, in any case; nullptr when unknown.
const Region* FindRegion(std::string_view text);
const Provider* FindProvider(std::string_view text);

// The place's own water figure (EWIF, L/kWh), not a stand-in.
std::optional<Figure> FindWater(std::string_view code);
// The place's own price, not a stand-in.
std::optional<Price> FindPrice(std::string_view code);

// "US" of "US-CA", "" of "PL".
std::string_view CountryOf(std::string_view code);

}  // namespace modicum
