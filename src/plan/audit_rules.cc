// SPDX-License-Identifier: Apache-2.0
#include "plan/audit_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/ascii.h"
#include "base/csv.h"
#include "base/format.h"
#include "data/equivalences.h"
#include "data/power_hungry.h"
#include "plan/training.h"

namespace modicum::internal {
namespace {

using enum ClaimKind;
using enum Verdict;
using Quantity = ClaimQuantity;

constexpr double kHoursOfYear = 8760;
// 1 % covers figures printed with two or three digits.
constexpr double kRounding = 0.03;

std::string Num(double value) { return FormatNumber(value, 4); }
bool Within(double value, double low, double high) {
  return value >= low && value <= high;
}
bool Near(double a, double b, double relative) {
  return std::abs(a - b) <= relative * std::abs(b);
}

std::optional<double> GpuHours(const Claim& claim) {
  if (const Quantity* hours = claim.Find(kGpuHours)) return hours->mid();
  const Quantity* gpus = claim.Find(kGpus);
  const Quantity* time = claim.Find(kTime);
  if (gpus == nullptr || time == nullptr) return std::nullopt;
  return gpus->mid() * time->mid();
}

std::optional<Said> MemoryPerParameter(const Claim& claim,
                                       const Accelerator& /*chip*/) {
  const Quantity* n = claim.Find(kParameters);
  const Quantity* memory = claim.Find(kMemory);
  if (n == nullptr || memory == nullptr) return std::nullopt;
  const double bytes = memory->mid() * 1e9 / n->mid();
  struct Recipe {
    double bytes;
    std::string_view text;
  };
  constexpr std::array<Recipe, 5> kRecipes{
      {{10, "8-bit Adam with an fp32 master"},
       {16, "weights, gradients and Adam in mixed precision or in fp32 (16)"},
       {18, "mixed precision with fp32 gradients"},
       {20, "16 of states and 4 of activations"},
       {24, "fp32: 4 weight + 4 gradient + 8 Adam + 8 activation"}}};
  const auto recipe = std::ranges::min_element(
      kRecipes, {},
      [&](const Recipe& r) { return std::abs(std::log(r.bytes / bytes)); });
  return Said{
      Within(bytes, 8, 40) ? kConsistent : kInconsistent,
      fmt::format("{} / {} parameters = {} bytes per parameter; nearest "
                  "training recipe: {} bytes, {}",
                  memory->text, Num(n->mid()), Num(bytes), recipe->bytes,
                  recipe->text)};
}

std::optional<Said> StoredPerParameter(const Claim& claim,
                                       const Accelerator& /*chip*/) {
  const Quantity* n = claim.Find(kParameters);
  const Quantity* storage = claim.Find(kStorage);
  if (n == nullptr || storage == nullptr) return std::nullopt;
  const double bytes = storage->mid() * 1e9 / n->mid();
  const std::string_view format = bytes > 3.4   ? "fp32"
                                  : bytes > 1.4 ? "16-bit"
                                  : bytes > 0.9 ? "8-bit"
                                                : "a quantized format";
  return Said{Within(bytes, 0.15, 5) ? kConsistent : kInconsistent,
              fmt::format("{} / {} parameters = {} bytes per parameter: {}",
                          storage->text, Num(n->mid()), Num(bytes), format)};
}

// A power that no number of such devices draws may be an energy.
std::optional<Said> PowerPerGpu(const Claim& claim, const Accelerator& chip) {
  const Quantity* power = claim.Find(kPower);
  const Quantity* gpus = claim.Find(kGpus);
  if (power == nullptr || gpus == nullptr) return std::nullopt;
  const double watts = power->mid() * 1e3 / gpus->mid();
  const double tdp = (claim.chip ? claim.chip : &chip)->tdp.value();
  std::string text = fmt::format("{} / {} GPUs = {} W per GPU", power->text,
                                 Num(gpus->mid()), Num(watts));
  if (Within(watts, 0.1 * tdp, 3 * tdp)) return Said{kConsistent, text};
  const Quantity* time = claim.Find(kTime);
  if (time == nullptr) return Said{kImpossible, text};
  // Time as printed, and rounded up to whole days.
  const double hours = time->mid();
  const double whole = std::ceil(hours / 24) * 24;
  const double as_energy = watts / hours;
  const double rounded = watts / whole;
  if (!Within(as_energy, 0.1 * tdp, 3 * tdp)) return Said{kImpossible, text};
  text += fmt::format("; as kWh: {} kWh / ({} GPUs x {} h) = {} W per GPU",
                      Num(power->mid()), Num(gpus->mid()), Num(hours),
                      Num(as_energy));
  if (Near(rounded, std::round(rounded / 50) * 50, 1e-3) &&
      !Near(as_energy, rounded, 1e-3))
    text += fmt::format(" ({} W with {} whole days)", Num(rounded),
                        Num(whole / 24));
  return Said{kUnitError, text};
}

std::optional<Said> EnergyPerGpuHour(const Claim& claim,
                                     const Accelerator& chip) {
  const Quantity* energy = claim.Find(kEnergy);
  const auto hours = GpuHours(claim);
  if (energy == nullptr || !hours) return std::nullopt;
  const Accelerator& used = claim.chip ? *claim.chip : chip;
  const double watts = energy->mid() * 1e3 / *hours;
  const double tdp = used.tdp.value();
  return Said{Within(watts, 0.2 * tdp, 3 * tdp) ? kConsistent
              : watts > 20 * tdp                ? kImpossible
                                                : kInconsistent,
              fmt::format("{} / {} GPU-hours = {} W per GPU; {}{}: {} W TDP",
                          energy->text, Num(*hours), Num(watts), used.name,
                          claim.chip ? "" : " (assumed)", Num(tdp))};
}

std::optional<Said> TrainingFlop(const Claim& claim, const Accelerator& chip) {
  const Quantity* n = claim.Find(kActive);
  if (n == nullptr) n = claim.Find(kParameters);
  const Quantity* tokens = claim.Find(kTokens);
  const auto hours = GpuHours(claim);
  if (n == nullptr || tokens == nullptr || !hours) return std::nullopt;
  const Accelerator& used = claim.chip ? *claim.chip : chip;
  const double peak = used.Peak("bf16");
  const double rate = 6 * n->mid() * tokens->mid() / (*hours * 3600);
  const double share = rate / peak;
  return Said{share > 1                   ? kImpossible
              : Within(share, 0.03, 0.75) ? kConsistent
                                          : kInconsistent,
              fmt::format("6 x {} x {} FLOP / ({} GPU-hours x 3,600 s) = {} "
                          "TFLOP/s per GPU = {} % of the dense peak of {}{}",
                          Num(n->mid()), Num(tokens->mid()), Num(*hours),
                          Num(rate / 1e12), Num(100 * share), used.name,
                          claim.chip ? "" : " (assumed)")};
}

std::optional<Said> OptimalTokens(const Claim& claim,
                                  const Accelerator& /*chip*/) {
  const Quantity* n = claim.Find(kParameters);
  const Quantity* tokens = claim.Find(kOptimalTokens);
  if (n == nullptr || tokens == nullptr) return std::nullopt;
  const double ratio = tokens->mid() / n->mid();
  return Said{Within(ratio, 10, 40) ? kConsistent : kInconsistent,
              fmt::format("{} / {} parameters = {} tokens per parameter; "
                          "compute-optimal: about 20",
                          tokens->text, Num(n->mid()), Num(ratio))};
}

std::optional<Said> PricePerGpuHour(const Claim& claim,
                                    const Accelerator& chip) {
  const Quantity* money = claim.Find(kMoney);
  const auto hours = GpuHours(claim);
  const Accelerator& used = claim.chip ? *claim.chip : chip;
  if (money == nullptr || !hours || !used.rent_usd) return std::nullopt;
  const double price = money->mid() / *hours;
  const double low = *used.rent_usd / 3, high = *used.rent_usd * 1.7;
  return Said{
      Within(price, low, high) ? kConsistent : kInconsistent,
      fmt::format("{} / {} GPU-hours = {} an hour; {}{} rents for {} to {} USD",
                  money->text, Num(*hours), Num(price), used.name,
                  claim.chip ? "" : " (assumed)", Num(low), Num(high))};
}

std::optional<Said> PricePerGpu(const Claim& claim, const Accelerator& chip) {
  const Quantity* money = claim.Find(kMoney);
  const Quantity* gpus = claim.Find(kGpus);
  const Accelerator& used = claim.chip ? *claim.chip : chip;
  if (money == nullptr || gpus == nullptr || GpuHours(claim) || !used.buy_usd)
    return std::nullopt;
  const double price = money->mid() / gpus->mid();
  return Said{Within(price, *used.buy_usd / 3, *used.buy_usd * 3)
                  ? kConsistent
                  : kInconsistent,
              fmt::format("{} / {} GPUs = {} each; {}{} costs about {} USD",
                          money->text, Num(gpus->mid()), Num(price), used.name,
                          claim.chip ? "" : " (assumed)", Num(*used.buy_usd))};
}

std::optional<Said> Intensity(const Claim& claim, const Accelerator& /*chip*/) {
  const Quantity* energy = claim.Find(kEnergy);
  const Quantity* carbon = claim.Find(kCarbon);
  if (energy == nullptr || carbon == nullptr) return std::nullopt;
  const double grams = carbon->mid() * 1e3 / energy->mid();
  return Said{Within(grams, 10, 1000) ? kConsistent
              : grams > 2000          ? kImpossible
                                      : kInconsistent,
              fmt::format("{} / {} = {} gCO2e/kWh; grids: 10 to 1,000",
                          carbon->text, energy->text, Num(grams))};
}

std::optional<Said> ActiveShare(const Claim& claim,
                                const Accelerator& /*chip*/) {
  const Quantity* active = claim.Find(kActive);
  const Quantity* total = claim.Find(kParameters);
  const Quantity* share = claim.Find(kPercent);
  if (active == nullptr || total == nullptr || share == nullptr)
    return std::nullopt;
  const double percent = 100 * active->mid() / total->mid();
  return Said{Near(percent, share->mid(), 0.05) ? kConsistent : kInconsistent,
              fmt::format("{} / {} = {} %; stated: {}", active->text,
                          total->text, Num(percent), share->text)};
}

std::optional<Said> QueriesPerUser(const Claim& claim,
                                   const Accelerator& /*chip*/) {
  const Quantity* day = claim.Find(kMoneyPerDay);
  const Quantity* query = claim.Find(kMoneyPerQuery);
  const Quantity* users = claim.Find(kUsers);
  if (day == nullptr || query == nullptr || users == nullptr)
    return std::nullopt;
  constexpr double kFew = 2, kMany = 1000;
  const double queries = day->mid() / query->mid();
  const double each = queries * 30 / users->mid();
  std::string text =
      fmt::format("{} a day / {} = {} queries a day = {} per user and month",
                  day->text, query->text, Num(queries), Num(each));
  if (Within(each, kFew, kMany)) return Said{kConsistent, text};
  for (const double slip : {100.0, 0.01})
    if (Within(each * slip, kFew, kMany))
      return Said{kUnitError,
                  text + fmt::format("; {} instead of {} would be {}: cents "
                                     "taken for the currency?",
                                     Num(query->mid() / slip),
                                     Num(query->mid()), Num(each * slip))};
  return Said{kInconsistent, text};
}

std::optional<Said> ServerEnergy(const Claim& claim,
                                 const Accelerator& /*chip*/) {
  const Quantity* servers = claim.Find(kServers);
  const Quantity* energy = claim.Find(kEnergy);
  if (servers == nullptr || energy == nullptr) return std::nullopt;
  const double kilowatts = energy->low / (servers->mid() * kHoursOfYear);
  const double most = energy->high / (servers->mid() * kHoursOfYear);
  const std::string text =
      fmt::format("{} / ({} servers x 8,760 h) = {} to {} kW per server",
                  energy->text, Num(servers->mid()), Num(kilowatts), Num(most));
  const Quantity* power = claim.Find(kPower);
  const bool agrees = power == nullptr
                          ? Within(kilowatts, 0.1, 15) && Within(most, 0.1, 15)
                          : Near(kilowatts, power->low, kRounding) &&
                                Near(most, power->high, kRounding);
  return Said{agrees ? kConsistent : kInconsistent,
              power ? text + "; stated: " + power->text : text};
}

// kWh of one everyday thing, by the first words of its row.
double KilowattHoursOf(std::string_view what) {
  static const EmbeddedTable table(kEquivalencesCsv);
  for (size_t row = 0; row < table.size(); ++row)
    if (table.at(row, "what").find(what) != std::string::npos)
      return table.number(row, "per_unit").value_or(0);
  return 0;
}

// Energy, of one item where items are named, against everyday things; `of`
// within `factor` of the published one.
std::optional<Said> Equivalence(const Claim& claim, ClaimKind kind,
                                std::string_view what, double factor) {
  const Quantity* energy = claim.Find(kEnergy);
  const Quantity* things = claim.Find(kind);
  if (energy == nullptr || things == nullptr) return std::nullopt;
  const Quantity* items = claim.Find(kItems);
  const double one = energy->mid() / (items ? items->mid() : 1);
  const double known = KilowattHoursOf(what);
  const double each = one / things->mid();
  return Said{
      Within(each, known / factor, known * factor) ? kConsistent
                                                   : kInconsistent,
      fmt::format("{}{} = {} kWh for {}: {} kWh each, {} % of the published "
                  "{} kWh",
                  energy->text, items ? " / " + Num(items->mid()) : "",
                  Num(one), things->text, Num(each), Num(100 * each / known),
                  Num(known))};
}

std::optional<Said> PhoneCharges(const Claim& claim,
                                 const Accelerator& /*chip*/) {
  return Equivalence(claim, kPhoneCharges, "phone", 2);
}
std::optional<Said> Streaming(const Claim& claim, const Accelerator& /*chip*/) {
  return Equivalence(claim, kStreamingHours, "streaming", 3);
}
std::optional<Said> Households(const Claim& claim,
                               const Accelerator& /*chip*/) {
  return Equivalence(claim, kHouseholdDays, "household", 4);
}

std::optional<Said> HoursInYears(const Claim& claim,
                                 const Accelerator& /*chip*/) {
  const Quantity* hours = claim.Find(kStreamingHours);
  const Quantity* time = claim.Find(kTime);
  if (hours == nullptr || time == nullptr) return std::nullopt;
  return Said{
      Near(hours->mid(), time->mid(), 0.05) ? kConsistent : kInconsistent,
      fmt::format("{} = {} years; stated: {}", hours->text,
                  Num(hours->mid() / 8766), time->text)};
}

std::optional<Said> CarByDistance(const Claim& claim,
                                  const Accelerator& /*chip*/) {
  const Quantity* carbon = claim.Find(kCarbon);
  const Quantity* distance = claim.Find(kDistance);
  if (carbon == nullptr || distance == nullptr) return std::nullopt;
  const double grams = carbon->mid() * 1e3 / distance->mid();
  const double known = KilowattHoursOf("km by car");
  return Said{Within(grams, known / 3, known * 2) ? kConsistent : kInconsistent,
              fmt::format("{} / {} = {} g/km; a car: {} g/km", carbon->text,
                          distance->text, Num(grams), Num(known))};
}

// Ranges of factors and, last, what they are said to come to.
std::optional<Said> Product(const Claim& claim, const Accelerator& /*chip*/) {
  std::vector<const Quantity*> factors;
  for (const Quantity& q : claim.quantities)
    if (q.kind == kFactor) factors.push_back(&q);
  if (factors.size() < 3) return std::nullopt;
  const Quantity* stated = factors.back();
  factors.pop_back();
  double low = 1, high = 1;
  for (const Quantity* factor : factors) {
    low *= factor->low;
    high *= factor->high;
  }
  const bool range = stated->low != stated->high;
  const bool agrees = Near(high, stated->high, 0.05) &&
                      (!range || Near(low, stated->low, 0.05));
  return Said{agrees ? kConsistent : kInconsistent,
              fmt::format("the product is {} to {}; stated: {}", Num(low),
                          Num(high), stated->text)};
}

// A factor over the file's size for what training takes: "20x storage".
std::optional<Said> StorageTimes(const Claim& claim,
                                 const Accelerator& /*chip*/) {
  const Quantity* n = claim.Find(kParameters);
  const Quantity* storage = claim.Find(kStorage);
  const Quantity* factor = claim.Find(kFactor);
  if (n == nullptr || storage == nullptr || factor == nullptr)
    return std::nullopt;
  const double gigabytes = storage->mid() * factor->mid();
  const double bytes = gigabytes * 1e9 / n->mid();
  std::string text = fmt::format(
      "{} x {} = {} GB = {} bytes per parameter; training takes 8 to 40",
      factor->text, storage->text, Num(gigabytes), Num(bytes));
  const Quantity* memory = claim.Find(kMemory);
  if (memory != nullptr) text += "; stated: " + memory->text;
  const bool agrees =
      Within(bytes, 8, 40) &&
      (memory == nullptr || Near(memory->mid(), gigabytes, 0.1));
  if (!agrees && Within(factor->mid(), 8, 40))
    text +=
        fmt::format("; {} bytes per parameter, not times?", Num(factor->mid()));
  return Said{agrees ? kConsistent : kInconsistent, std::move(text)};
}

std::vector<const Quantity*> AllOf(const Claim& claim, ClaimKind kind) {
  std::vector<const Quantity*> all;
  for (const Quantity& q : claim.quantities)
    if (q.kind == kind) all.push_back(&q);
  return all;
}

// Two costs per query and what one is of the other: CPU against GPU.
std::optional<Said> CostRatio(const Claim& claim, const Accelerator& /*chip*/) {
  const auto costs = AllOf(claim, kMoneyPerQuery);
  const Quantity* factor = claim.Find(kFactor);
  if (costs.size() != 2 || factor == nullptr) return std::nullopt;
  const double a = costs[0]->mid(), b = costs[1]->mid();
  const double ratio = std::max(a, b) / std::min(a, b);
  const bool agrees = Within(ratio, factor->low * (1 - kRounding),
                             factor->high * (1 + kRounding));
  return Said{
      agrees ? kConsistent : kInconsistent,
      fmt::format("{} and {} per query: {} times; stated: {}", costs[0]->text,
                  costs[1]->text, Num(ratio), factor->text)};
}

std::optional<Said> GrossMargin(const Claim& claim,
                                const Accelerator& /*chip*/) {
  const Quantity* stated = claim.Find(kPercent);
  if (stated == nullptr ||
      LowerAscii(claim.subject).find("margin") == std::string::npos)
    return std::nullopt;
  if (stated->high > 100)
    return Said{kImpossible,
                stated->text + ": a margin is a part of the price"};
  auto money = AllOf(claim, kMoneyPerQuery);
  if (money.empty()) money = AllOf(claim, kMoney);
  if (money.size() != 2) return std::nullopt;
  const double cost = std::min(money[0]->mid(), money[1]->mid());
  const double price = std::max(money[0]->mid(), money[1]->mid());
  const double margin = 100 * (1 - cost / price);
  return Said{Within(margin, stated->low - 2, stated->high + 2) ? kConsistent
                                                                : kInconsistent,
              fmt::format("1 - {} / {} = {} %; stated: {}", Num(cost),
                          Num(price), Num(margin), stated->text)};
}

// Of many inferences of a task that the study measured.
std::optional<Said> EnergyOfTask(const Claim& claim,
                                 const Accelerator& /*chip*/) {
  const Quantity* energy = claim.Find(kEnergy);
  const Quantity* items = claim.Find(kItems);
  if (energy == nullptr || items == nullptr) return std::nullopt;
  static const EmbeddedTable table(kPowerHungryCsv);
  std::string subject = LowerAscii(claim.subject);
  std::ranges::replace(subject, '-', ' ');
  for (size_t row = 0; row < table.size(); ++row) {
    std::string task = table.at(row, "task");
    std::ranges::replace(task, '-', ' ');
    if (table.at(row, "way") != "mean" ||
        subject.find(task) == std::string::npos)
      continue;
    const double known = table.number(row, "wh").value();
    const double wh = energy->mid() * 1e6 / items->mid();
    return Said{Within(wh, known / 5, known * 5) ? kConsistent : kInconsistent,
                fmt::format("{} / {} = {} Wh per 1,000; the study's mean for "
                            "{}: {} Wh",
                            energy->text, Num(items->mid()), Num(wh), task,
                            Num(known))};
  }
  return std::nullopt;
}

bool IsNamePart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

// "gpt-3" is not in "gpt-3.5", "gpt-30" or "gpt-3-mini".
bool Names(const std::string& text, const std::string& name) {
  for (size_t at = text.find(name); at != std::string::npos;
       at = text.find(name, at + 1)) {
    const size_t end = at + name.size();
    const bool begins = at == 0 || !IsNamePart(text[at - 1]);
    const bool decimal = end + 1 < text.size() && text[end] == '.' &&
                         text[end + 1] >= '0' && text[end + 1] <= '9';
    if (begins && !decimal && (end >= text.size() || !IsNamePart(text[end])))
      return true;
  }
  return false;
}

std::optional<Said> PublishedRun(const Claim& claim,
                                 const Accelerator& /*chip*/) {
  const std::string subject = LowerAscii(claim.subject);
  for (const TrainingRun& run : TrainingRuns()) {
    if (!Names(subject, LowerAscii(run.name))) continue;
    if (const auto hours = GpuHours(claim)) {
      const double ratio = *hours / run.gpu_hours;
      return Said{Within(ratio, 1 / 1.3, 1.3) ? kConsistent : kInconsistent,
                  fmt::format("{} GPU-hours; published for {}: {}, {} times it",
                              Num(*hours), run.name, Num(run.gpu_hours),
                              Num(1 / ratio))};
    }
    const Quantity* energy = claim.Find(kEnergy);
    if (energy == nullptr || !run.energy_mwh) continue;
    return Said{Near(energy->mid(), *run.energy_mwh * 1e3, 0.15)
                    ? kConsistent
                    : kInconsistent,
                fmt::format("{}; published for {}: {} MWh", energy->text,
                            run.name, Num(*run.energy_mwh))};
  }
  return std::nullopt;
}

constexpr std::string_view kTable = "data/accelerators.csv";
constexpr std::string_view kEvery = "data/equivalences.csv";

const std::array<AuditRule, 23> kRules{{
    {{"memory per parameter", "parameters, memory",
      "bytes = memory / N, training takes 8 to 40",
      "states of Adam: Rajbhandari et al. 2020, ZeRO"},
     MemoryPerParameter},
    {{"stored bytes", "parameters, storage", "bytes = storage / N, 0.15 to 5",
      "bits of number formats, src/plan/data_type.cc"},
     StoredPerParameter},
    {{"power per GPU", "power, GPUs (and time)",
      "W = kW / GPUs, 0.1 to 3 TDP; else kWh / (GPUs x h)", kTable},
     PowerPerGpu},
    {{"energy per GPU-hour", "energy, GPU-hours",
      "W = kWh / GPU-hours, 0.2 to 3 TDP", kTable},
     EnergyPerGpuHour},
    {{"training FLOP", "parameters, tokens, GPU-hours",
      "6 N D / (GPU-hours x dense peak), 3 to 75 %; never over 100 %",
      "Kaplan et al. 2020; data/accelerators.csv, data/published_training.csv"},
     TrainingFlop},
    {{"optimal tokens", "parameters, compute-optimal tokens", "D / N, 10 to 40",
      "Hoffmann et al. 2022; Besiroglu et al. 2024"},
     OptimalTokens},
    {{"price per GPU-hour", "money, GPU-hours",
      "money / GPU-hours, a third to 1.7 times the rent", kTable},
     PricePerGpuHour},
    {{"price per GPU", "money, GPUs, no time",
      "money / GPUs, a third to three times the price", kTable},
     PricePerGpu},
    {{"carbon intensity", "energy, CO2e", "g / kWh, 10 to 1,000",
      "data/grid_intensity.csv"},
     Intensity},
    {{"active share", "active and all parameters, percent", "active / all",
      "arithmetic"},
     ActiveShare},
    {{"queries per user", "money per day, per query, users",
      "money per day / per query x 30 / users, 2 to 1,000",
      "assumed range of use"},
     QueriesPerUser},
    {{"energy of servers", "servers, energy a year (and power)",
      "kWh / (servers x 8,760 h), as stated or 0.1 to 15 kW", "arithmetic"},
     ServerEnergy},
    {{"phone charges", "energy, phone charges (and items)",
      "kWh / items / charges, within a factor of 2", kEvery},
     PhoneCharges},
    {{"hours of streaming", "energy, hours of streaming",
      "kWh / hours, within a factor of 3", kEvery},
     Streaming},
    {{"household days", "energy, household days",
      "kWh / days, within a factor of 4", kEvery},
     Households},
    {{"hours in years", "hours of streaming, years", "h / 8,766", "arithmetic"},
     HoursInYears},
    {{"car by distance", "CO2e, km", "g / km, a third to twice a car", kEvery},
     CarByDistance},
    {{"product of factors", "three factors or more, the last their product",
      "product of the ends", "arithmetic"},
     Product},
    {{"storage times a factor", "parameters, storage, a factor (and memory)",
      "bytes = factor x storage / N, 8 to 40; as stated",
      "states of Adam: Rajbhandari et al. 2020, ZeRO"},
     StorageTimes},
    {{"ratio of costs", "two costs per query, a factor",
      "the dearer / the cheaper, as stated", "arithmetic"},
     CostRatio},
    {{"gross margin", "the word margin, percent (and cost, price)",
      "1 - cost / price, as stated; never over 100 %", "arithmetic"},
     GrossMargin},
    {{"energy of a task", "energy, items, the name of a task",
      "Wh per 1,000, within a factor of 5 of the study's mean",
      "data/power_hungry.csv"},
     EnergyOfTask},
    {{"published run", "the name of a run, GPU-hours or energy",
      "GPU-hours within 1.3 times, energy within 15 %",
      "data/published_training.csv"},
     PublishedRun},
}};

}  // namespace

std::span<const AuditRule> ClaimRules() { return kRules; }

}  // namespace modicum::internal
