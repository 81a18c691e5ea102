// SPDX-License-Identifier: Apache-2.0
#include "place/embodied.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/csv.h"
#include "data/embodied.h"

namespace modicum {
namespace {

constexpr Seconds kYear = Hours(365.25 * 24);

EmbodiedDevice ReadDevice(const EmbeddedTable& table, size_t row) {
  const std::string& name = table.at(row, "name");
  const double kg = table.number(row, "kg").value();
  const double years = table.number(row, "life_years").value();
  const std::string& date = table.at(row, "date");
  EmbodiedDevice device;
  device.carbon = Exactly(GramsCo2e(kg * 1000), Origin::kAssumed, Scope::kWall)
                      .WithShared(InternSource("embodied: " + name),
                                  table.number(row, "rel_sd").value());
  device.life = kYear * years;
  device.sockets = static_cast<int>(table.number(row, "sockets").value());
  device.factors = {
      {"manufacture, " + name, kg, "kgCO2e", table.at(row, "source"), date},
      {"service life, " + name, years, "years", "assumed", date}};
  return device;
}

bool Contains(std::string_view text, std::string_view part) {
  const auto it =
      std::search(text.begin(), text.end(), part.begin(), part.end(),
                  [](char a, char b) { return (a | 0x20) == (b | 0x20); });
  return it != text.end();
}

// "1165G7", "8265U", "5800HS": three digits or more, then a mobile suffix.
bool IsMobileNumber(std::string_view token) {
  constexpr std::array<std::string_view, 13> kSuffixes = {
      "U", "Y", "H", "HK", "HQ", "HX", "HS", "P", "V", "G1", "G4", "G7", "M"};
  const size_t digits =
      std::min(token.find_first_not_of("0123456789"), token.size());
  return digits >= 3 && std::find(kSuffixes.begin(), kSuffixes.end(),
                                  token.substr(digits)) != kSuffixes.end();
}

bool IsMobile(std::string_view cpu_model) {
  while (!cpu_model.empty()) {
    const size_t end =
        std::min(cpu_model.find_first_of(" -"), cpu_model.size());
    if (IsMobileNumber(cpu_model.substr(0, end))) return true;
    cpu_model.remove_prefix(std::min(end + 1, cpu_model.size()));
  }
  return false;
}

bool IsServer(std::string_view cpu_model) {
  constexpr std::array<std::string_view, 7> kChips = {
      "xeon", "epyc", "opteron", "neoverse", "ampere", "graviton", "thunderx"};
  return std::any_of(kChips.begin(), kChips.end(), [=](std::string_view chip) {
    return Contains(cpu_model, chip);
  });
}

}  // namespace

std::optional<EmbodiedDevice> FindEmbodied(std::string_view device_class) {
  static const auto* table = new EmbeddedTable(kEmbodiedCsv);
  for (size_t i = 0; i < table->size(); ++i)
    if (table->at(i, "class") == device_class) return ReadDevice(*table, i);
  return std::nullopt;
}

std::string_view DeviceClass(std::string_view cpu_model, bool virtual_machine) {
  if (virtual_machine || IsServer(cpu_model)) return "server";
  return IsMobile(cpu_model) ? "laptop" : "";
}

}  // namespace modicum
