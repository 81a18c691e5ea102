// SPDX-License-Identifier: Apache-2.0
#include "bench/figures.h"

#include <algorithm>
#include <cmath>

#include "base/statistics.h"
#include "evaluate/cost.h"
#include "place/place.h"

namespace modicum {
namespace {

// Rows of data/equivalences.csv.
constexpr std::string_view kCar = "km by car";
constexpr std::string_view kPhone = "phone charges";

// The runs with another of their energies in the place of `energy`.
template <class F>
CostFigure SummarizeRuns(const BenchRow& row, F energy) {
  CostSamples samples;
  for (const BenchRun& run : row.runs) {
    samples.repeats.push_back(run.repeat);
    samples.repeats.back().energy = energy(run);
  }
  return Summarize(samples);
}

// What counts: quiet runs, or all where there is none.
std::vector<const BenchRun*> RunsThatCount(const BenchRow& row) {
  std::vector<const BenchRun*> all;
  std::vector<const BenchRun*> quiet;
  for (const BenchRun& run : row.runs) {
    all.push_back(&run);
    if (!run.repeat.contended) quiet.push_back(&run);
  }
  return quiet.empty() ? all : quiet;
}

double SdBetweenRuns(const BenchRow& row) {
  std::vector<double> values;
  for (const BenchRun* run : RunsThatCount(row))
    values.push_back(1000 * run->repeat.energy.mid.value() /
                     static_cast<double>(run->repeat.predictions));
  return std::sqrt(Variance(values));
}

// Tokens an inference of the kind that the unit names.
double UnitsPerInference(const BenchRow& row, std::string_view unit) {
  double tokens = 0;
  double inferences = 0;
  for (const BenchRun* run : RunsThatCount(row)) {
    tokens += static_cast<double>(unit == "token written" ? run->tokens_out
                                                          : run->tokens_in);
    inferences += static_cast<double>(run->repeat.predictions);
  }
  return tokens / inferences;
}

void FillCarbon(BenchRow& row, const Place& place) {
  const Estimate<Joules>& energy = *row.joules_per_1000;
  row.g_co2e_per_1000 = OperationalCarbon(energy, place);
  for (const Equivalence& each :
       Equivalences(energy * place.pue, *row.g_co2e_per_1000)) {
    if (each.what == kCar) row.car_km_per_1000 = each.count;
    if (each.what == kPhone) row.phone_charges_per_1000 = each.count;
  }
}

}  // namespace

void FillFigures(BenchRow& row, std::string_view unit, const Place& place) {
  if (row.runs.empty()) return;
  const CostFigure own =
      SummarizeRuns(row, [](const BenchRun& run) { return run.repeat.energy; });
  const auto per_1000 = [&row](auto energy) {
    return SummarizeRuns(row, energy).joules_per_1000;
  };
  row.contended = own.contended;
  row.short_windows = static_cast<uint64_t>(
      std::count_if(row.runs.begin(), row.runs.end(),
                    [](const BenchRun& run) { return run.short_window; }));
  row.joules_per_1000 = own.joules_per_1000;
  row.joules_per_1000_all = own.joules_per_1000_all;
  row.joules_sd = Joules(SdBetweenRuns(row));
  row.idle_per_1000 = per_1000([](const BenchRun& run) { return run.idle; });
  row.active_per_1000 = per_1000([](const BenchRun& run) {
    Estimate<Joules> active = run.repeat.energy - run.idle;
    active.difference = false;  // a part of the meter's split, not negative
    return active;
  });
  row.machine_per_1000 =
      per_1000([](const BenchRun& run) { return run.machine; });
  row.cpu_seconds_per_1000 = own.cpu_per_1000;
  row.inferences_per_second = own.predictions_per_second;
  FillCarbon(row, place);
  if (const double units = UnitsPerInference(row, unit);
      !unit.empty() && units > 0) {
    row.unit = unit;
    row.joules_per_unit = own.joules_per_1000 / (1000 * units);
  }
  if (row.above_floor && row.correct_share && *row.correct_share > 0)
    row.joules_per_correct = own.joules_per_1000 / (1000 * *row.correct_share);
}

std::vector<Factor> EverydayFactors() {
  std::vector<Factor> factors;
  for (const Equivalence& each :
       Equivalences(Exactly(Joules(1), Origin::kAssumed, Scope::kWall),
                    Exactly(GramsCo2e(1), Origin::kAssumed, Scope::kWall)))
    if (each.what == kCar || each.what == kPhone)
      factors.push_back(each.factor);
  return factors;
}

}  // namespace modicum
