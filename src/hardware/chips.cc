// SPDX-License-Identifier: Apache-2.0
#include "hardware/chips.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "base/csv.h"
#include "data/cpu_generations.h"
#include "data/cpus.h"
#include "hardware/load_curve.h"
#include "hardware/machine.h"

namespace modicum {
namespace {

// An average over chips is never claimed to be closer than this: the guest's
// chip need not be in the table at all. Assumed.
constexpr double kLeastAverageSd = 0.15;

struct Generation {
  std::string match;
  std::string name;
};

std::optional<Watts> WattsAt(const EmbeddedTable& table, size_t row,
                             std::string_view column) {
  if (const auto value = table.number(row, column)) return Watts(*value);
  return std::nullopt;
}

int IntAt(const EmbeddedTable& table, size_t row, std::string_view column) {
  return static_cast<int>(table.number(row, column).value());
}

std::vector<CpuChip> ReadChips() {
  const EmbeddedTable table(kCpusCsv);
  std::vector<CpuChip> chips;
  for (size_t row = 0; row < table.size(); ++row) {
    CpuChip chip;
    chip.name = table.at(row, "name");
    chip.match = table.at(row, "match");
    chip.generation = table.at(row, "generation");
    chip.kind = table.at(row, "class");
    chip.cores = IntAt(table, row, "cores");
    chip.threads = IntAt(table, row, "threads");
    chip.tdp = Watts(table.number(row, "tdp_w").value());
    chip.idle = WattsAt(table, row, "idle_w");
    chip.full = WattsAt(table, row, "full_w");
    chip.source = table.at(row, "source");
    chip.date = table.at(row, "date");
    chips.push_back(std::move(chip));
  }
  return chips;
}

const std::vector<CpuChip>& Chips() {
  static const std::vector<CpuChip> chips = ReadChips();
  return chips;
}

const std::vector<Generation>& Generations() {
  static const std::vector<Generation> generations = [] {
    const EmbeddedTable table(kCpuGenerationsCsv);
    std::vector<Generation> out;
    for (size_t row = 0; row < table.size(); ++row)
      out.push_back({table.at(row, "match"), table.at(row, "generation")});
    return out;
  }();
  return generations;
}

void Erase(std::string& text, std::string_view word) {
  for (size_t at = text.find(word); at != std::string::npos;
       at = text.find(word, at))
    text.replace(at, word.size(), " ");
}

bool HasWords(const std::string& normal, const std::string& words) {
  return (" " + normal + " ").find(" " + words + " ") != std::string::npos;
}

// The row with the longest pattern that `normal` contains; nullptr: none.
template <class Row>
const Row* LongestMatch(const std::vector<Row>& rows,
                        const std::string& normal) {
  const Row* best = nullptr;
  for (const Row& row : rows) {
    if (!HasWords(normal, row.match)) continue;
    if (best == nullptr || row.match.size() > best->match.size()) best = &row;
  }
  return best;
}

double LnWattsPerThread(const CpuChip& chip) {
  return std::log(chip.tdp.value() / chip.threads);
}

CpuPower PowerOfChip(const CpuChip& chip) {
  const LoadCurve& curve = TypicalLoadCurve();
  CpuPower power;
  power.chip = chip.name;
  power.full = chip.full.value_or(chip.tdp * curve.scale);
  power.idle = chip.idle.value_or(power.full * curve.idle_fraction);
  power.package_threads = chip.threads;
  power.chip_known = true;
  power.source = chip.source;
  power.date = chip.date;
  return power;
}

// Clouds mask names and buy dense chips: those with fewer threads than the
// median are left out of a masked generation's average.
std::vector<CpuChip> DenseHalf(std::vector<CpuChip> chips) {
  std::ranges::sort(chips, {}, &CpuChip::threads);
  chips.erase(chips.begin(),
              chips.begin() + static_cast<std::ptrdiff_t>(chips.size() / 2));
  return chips;
}

// Geometric mean of watts per thread, at the median chip's thread count.
CpuPower PowerOfAverage(std::span<const CpuChip> chips,
                        const std::string& what) {
  double sum = 0;
  double squares = 0;
  const auto n = static_cast<double>(chips.size());
  for (const CpuChip& chip : chips) sum += LnWattsPerThread(chip);
  const double mean = sum / n;
  for (const CpuChip& chip : chips)
    squares += std::pow(LnWattsPerThread(chip) - mean, 2);
  CpuChip average = chips[chips.size() / 2];
  average.name =
      what + ", average of " + std::to_string(chips.size()) + " chips";
  average.tdp = Watts(std::exp(mean) * average.threads);
  average.idle = std::nullopt;
  average.full = std::nullopt;
  CpuPower power = PowerOfChip(average);
  power.chip_known = false;
  power.relative_sd =
      std::max(kLeastAverageSd, std::sqrt(squares / std::max(1.0, n - 1)));
  return power;
}

bool LooksLikeServer(const HostFacts& host, const std::string& normal) {
  if (host.virtual_machine || host.sockets > 1) return true;
  for (const char* word : {"xeon", "epyc", "neoverse", "ampere"})
    if (normal.find(word) != std::string::npos) return true;
  return false;
}

CpuPower PowerOfClass(const HostFacts& host, const std::string& normal) {
  const bool server = LooksLikeServer(host, normal);
  std::vector<CpuChip> chips;
  for (const CpuChip& chip : Chips())
    if ((chip.kind == "server") == server) chips.push_back(chip);
  std::ranges::sort(chips, {}, &CpuChip::threads);
  CpuPower power = PowerOfAverage(
      chips, server ? "unknown server CPU" : "unknown desktop or laptop CPU");
  if (host.virtual_machine) return power;
  // On metal the package is what we see of it, whatever the average has.
  const int threads = std::max(1, host.logical_cpus / host.sockets);
  const double factor = static_cast<double>(threads) / power.package_threads;
  power.idle *= factor;
  power.full *= factor;
  power.package_threads = threads;
  return power;
}

}  // namespace

std::string NormalCpuName(std::string_view cpu_model) {
  std::string text = LowerAscii(cpu_model);
  Erase(text, "(r)");
  Erase(text, "(tm)");
  for (char& c : text)
    if (c == '(' || c == ')' || c == ',' || c == '\t') c = ' ';
  text = " " + text + " ";
  Erase(text, " cpu ");
  std::string out;
  for (const char c : text)
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::optional<CpuChip> FindChip(std::string_view cpu_model) {
  const CpuChip* chip = LongestMatch(Chips(), NormalCpuName(cpu_model));
  if (chip == nullptr) return std::nullopt;
  return *chip;
}

std::optional<std::string> FindGeneration(std::string_view cpu_model) {
  const Generation* match =
      LongestMatch(Generations(), NormalCpuName(cpu_model));
  if (match == nullptr) return std::nullopt;
  return match->name;
}

CpuPower PowerOf(const HostFacts& host) {
  if (const auto chip = FindChip(host.cpu_model)) return PowerOfChip(*chip);
  if (const auto generation = FindGeneration(host.cpu_model)) {
    std::vector<CpuChip> chips;
    for (const CpuChip& chip : Chips())
      if (chip.kind == "server" && chip.generation == *generation)
        chips.push_back(chip);
    if (!chips.empty()) return PowerOfAverage(DenseHalf(chips), *generation);
  }
  return PowerOfClass(host, NormalCpuName(host.cpu_model));
}

}  // namespace modicum
