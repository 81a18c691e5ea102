// SPDX-License-Identifier: Apache-2.0
#include "place/embodied.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "base/csv.h"
#include "data/embodied.h"

namespace modicum {
namespace {

constexpr Seconds kYear = Hours(365.25 * 24);
constexpr std::string_view kGpu = "gpu ";

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

// The first whose class fits.
template <class Fits>
std::optional<EmbodiedDevice> FindRow(const Fits& fits) {
  static const auto* table = new EmbeddedTable(kEmbodiedCsv);
  for (size_t i = 0; i < table->size(); ++i)
    if (fits(table->at(i, "class"))) return ReadDevice(*table, i);
  return std::nullopt;
}

bool Contains(std::string_view text, std::string_view part) {
  const auto it =
      std::search(text.begin(), text.end(), part.begin(), part.end(),
                  [](char a, char b) { return (a | 0x20) == (b | 0x20); });
  return it != text.end();
}

// Whether a word of `name`, between blanks and hyphens, fits.
template <class Fits>
bool AnyWord(std::string_view name, const Fits& fits) {
  while (!name.empty()) {
    const size_t end = std::min(name.find_first_of(" -"), name.size());
    if (fits(name.substr(0, end))) return true;
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return false;
}

// "1165G7", "8265U", "7950X": three digits or more, then one of the suffixes.
bool HasNumber(std::string_view cpu_model,
               std::span<const std::string_view> suffixes) {
  return AnyWord(cpu_model, [suffixes](std::string_view word) {
    const size_t digits =
        std::min(word.find_first_not_of("0123456789"), word.size());
    return digits >= 3 &&
           std::ranges::find(suffixes, word.substr(digits)) != suffixes.end();
  });
}

bool IsMobile(std::string_view cpu_model) {
  constexpr std::array<std::string_view, 13> kSuffixes = {
      "U", "Y", "H", "HK", "HQ", "HX", "HS", "P", "V", "G1", "G4", "G7", "M"};
  return HasNumber(cpu_model, kSuffixes);
}

// Workstations' Threadripper is none of the machines that were rated; mobile
// chips called AI have their suffix apart from the number.
bool IsDesktop(std::string_view cpu_model) {
  constexpr std::array<std::string_view, 13> kSuffixes = {
      "", "K", "KF", "KS", "F", "T", "S", "X", "X3D", "XT", "G", "GE", "E"};
  return (Contains(cpu_model, "core(tm)") || Contains(cpu_model, "ryzen")) &&
         !Contains(cpu_model, "threadripper") &&
         !Contains(cpu_model, "ryzen ai") && HasNumber(cpu_model, kSuffixes);
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
  return FindRow(
      [device_class](std::string_view row) { return row == device_class; });
}

std::optional<EmbodiedDevice> FindEmbodiedGpu(std::string_view name) {
  return FindRow([name](std::string_view row) {
    const auto lacks = [name](std::string_view word) {
      return !AnyWord(name, [word](std::string_view w) { return w == word; });
    };
    return row.starts_with(kGpu) && !AnyWord(row.substr(kGpu.size()), lacks);
  });
}

std::string_view DeviceClass(std::string_view cpu_model, bool virtual_machine) {
  if (virtual_machine || IsServer(cpu_model)) return "server";
  if (IsMobile(cpu_model)) return "laptop";
  return IsDesktop(cpu_model) ? "desktop" : "";
}

}  // namespace modicum
