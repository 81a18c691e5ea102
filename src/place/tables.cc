// SPDX-License-Identifier: Apache-2.0
#include "place/tables.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "base/csv.h"
#include "data/electricity_price.h"
#include "data/grid_intensity.h"
#include "data/pue.h"
#include "data/us_states_intensity.h"
#include "data/water.h"

namespace modicum {
namespace {

// Names in daily use that ISO 3166 or the table spell differently.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14>
    kOtherNames = {{
        {"uk", "GB"},
        {"great britain", "GB"},
        {"england", "GB"},
        {"united states of america", "US"},
        {"america", "US"},
        {"holland", "NL"},
        {"czech republic", "CZ"},
        {"russian federation", "RU"},
        {"republic of korea", "KR"},
        {"korea", "KR"},
        {"turkiye", "TR"},
        {"viet nam", "VN"},
        {"ivory coast", "CI"},
        {"democratic republic of the congo", "CD"},
    }};

Figure ReadFigure(const EmbeddedTable& table, size_t row,
                  std::string_view value, std::string_view sd,
                  std::string source, std::string_view date) {
  return {table.number(row, value).value(), table.number(row, sd).value(),
          std::move(source), table.at(row, date)};
}

std::vector<Region> ReadRegions() {
  std::vector<Region> regions;
  const EmbeddedTable countries(kGridIntensityCsv);
  for (size_t i = 0; i < countries.size(); ++i) {
    regions.push_back(
        {countries.at(i, "code"), countries.at(i, "iso3"),
         countries.at(i, "name"),
         ReadFigure(countries, i, "g_per_kwh", "rel_sd",
                    "Ember via @tgwf/co2 (CC BY-SA 4.0)", "year")});
  }
  const EmbeddedTable states(kUsStatesIntensityCsv);
  for (size_t i = 0; i < states.size(); ++i) {
    regions.push_back(
        {states.at(i, "code"), "", states.at(i, "name"),
         ReadFigure(states, i, "g_per_kwh", "rel_sd", "US EPA eGRID", "year")});
  }
  return regions;
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::vector<Provider> ReadProviders() {
  std::vector<Provider> providers;
  const EmbeddedTable table(kPueCsv);
  for (size_t i = 0; i < table.size(); ++i) {
    const std::string& source = table.at(i, "source");
    providers.push_back({table.at(i, "provider"),
                         Split(table.at(i, "aliases"), '|'),
                         table.at(i, "name"),
                         ReadFigure(table, i, "pue", "pue_sd", source, "date"),
                         ReadFigure(table, i, "wue", "wue_sd", source, "date"),
                         table.at(i, "rented") == "yes"});
  }
  return providers;
}

// The row of `table` whose code is `code`, if there is one.
std::optional<size_t> RowOf(const EmbeddedTable& table, std::string_view code) {
  for (size_t i = 0; i < table.size(); ++i)
    if (table.at(i, "code") == code) return i;
  return std::nullopt;
}

}  // namespace

const std::vector<Region>& Regions() {
  static const auto* regions = new std::vector<Region>(ReadRegions());
  return *regions;
}

const std::vector<Provider>& Providers() {
  static const auto* providers = new std::vector<Provider>(ReadProviders());
  return *providers;
}

const Region* FindRegion(std::string_view text) {
  for (const auto& [name, code] : kOtherNames)
    if (EqualIgnoringCase(text, name)) return FindRegion(code);
  for (const Region& region : Regions()) {
    if (EqualIgnoringCase(text, region.code) ||
        EqualIgnoringCase(text, region.name) ||
        (!region.iso3.empty() && EqualIgnoringCase(text, region.iso3)))
      return &region;
  }
  return nullptr;
}

const Provider* FindProvider(std::string_view text) {
  for (const Provider& provider : Providers()) {
    if (EqualIgnoringCase(text, provider.id) ||
        EqualIgnoringCase(text, provider.name) ||
        std::any_of(provider.aliases.begin(), provider.aliases.end(),
                    [text](const std::string& alias) {
                      return EqualIgnoringCase(text, alias);
                    }))
      return &provider;
  }
  return nullptr;
}

std::optional<Figure> FindWater(std::string_view code) {
  static const auto* table = new EmbeddedTable(kWaterCsv);
  const auto row = RowOf(*table, code);
  if (!row) return std::nullopt;
  return ReadFigure(*table, *row, "l_per_kwh", "rel_sd",
                    table->at(*row, "source"), "date");
}

std::optional<Price> FindPrice(std::string_view code) {
  static const auto* table = new EmbeddedTable(kElectricityPriceCsv);
  const auto row = RowOf(*table, code);
  if (!row) return std::nullopt;
  return Price{ReadFigure(*table, *row, "price", "rel_sd",
                          table->at(*row, "source"), "date"),
               table->at(*row, "currency")};
}

std::string_view CountryOf(std::string_view code) {
  const size_t dash = code.find('-');
  return dash == std::string_view::npos ? std::string_view()
                                        : code.substr(0, dash);
}

}  // namespace modicum
