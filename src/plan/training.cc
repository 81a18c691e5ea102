// SPDX-License-Identifier: Apache-2.0
#include "plan/training.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "base/csv.h"
#include "data/published_training.h"

namespace modicum {
namespace {

// From here on a chip's arithmetic has outgrown its links and memory, and runs
// get a smaller part of it: A100 312 TFLOP/s, H100 989.
constexpr double kFastChip = 500e12;
// Nothing is published of a group: as wide as runs differ over all groups.
constexpr double kUnknownSd = 0.5;
// A chip of a kind that no run used. Assumed.
constexpr double kOtherKindSd = 0.4;

// P90 of Student's t over that of the normal distribution, by degrees of
// freedom; from tables.
double WiderForFew(int freedom) {
  constexpr std::array<double, 12> kT90{3.078, 1.886, 1.638, 1.533,
                                        1.476, 1.440, 1.415, 1.397,
                                        1.383, 1.372, 1.363, 1.356};
  if (freedom < 1) return kT90[0] / kZ80;
  const auto at = std::min(static_cast<size_t>(freedom), kT90.size()) - 1;
  return kT90[at] / kZ80;
}

enum class Group { kEarly, kTpu, kFused, kFast };

Group GroupOf(const Accelerator& chip, bool early) {
  if (chip.kind == "tpu") return Group::kTpu;
  if (early) return Group::kEarly;
  return chip.Peak("bf16") >= kFastChip ? Group::kFast : Group::kFused;
}

std::vector<TrainingRun> ReadRuns() {
  const EmbeddedTable table(kPublishedTrainingCsv);
  std::vector<TrainingRun> runs;
  for (size_t row = 0; row < table.size(); ++row) {
    TrainingRun run;
    run.name = table.at(row, "run");
    run.family = table.at(row, "family");
    run.chip = table.at(row, "chip");
    run.stack = table.at(row, "stack");
    run.energy_kind = table.at(row, "energy");
    run.parameters = table.number(row, "parameters").value();
    run.tokens = table.number(row, "tokens").value();
    run.gpu_hours = table.number(row, "gpu_hours").value();
    run.watts = table.number(row, "watts");
    run.pue = table.number(row, "pue");
    run.energy_mwh = table.number(row, "energy_mwh");
    run.tco2e = table.number(row, "tco2e");
    runs.push_back(std::move(run));
  }
  return runs;
}

const Accelerator& ChipOf(const TrainingRun& run) {
  return *FindAccelerator(run.chip).value();
}

// "Meta" leaves out three families at once.
bool IsLeftOut(const TrainingRun& run, std::string_view without) {
  if (run.family == without) return true;
  return without == "Meta" &&
         (run.family == "LLaMA" || run.family.starts_with("Llama "));
}

// ln of a family's runs in one group: how many, their sum and squares.
struct Sums {
  double n = 0, sum = 0, squares = 0;
  double mean() const { return sum / n; }
  double variance_about(double m) const {
    return squares / n - 2 * m * sum / n + m * m;
  }
};
using FamilySums = std::map<std::pair<Group, std::string>, Sums>;

FamilySums LogEfficiencies(std::string_view without) {
  FamilySums sums;
  for (const TrainingRun& run : TrainingRuns()) {
    if (IsLeftOut(run, without)) continue;
    const Accelerator& chip = ChipOf(run);
    const double x =
        std::log(run.flop() / (run.gpu_hours * 3600 * chip.Peak("bf16")));
    Sums& own = sums[{GroupOf(chip, run.stack == "early"), run.family}];
    own.n += 1;
    own.sum += x;
    own.squares += x * x;
  }
  return sums;
}

}  // namespace

Range<double> Spread::range() const {
  const double factor = std::exp(kZ80 * sd);
  return {mid / factor, mid, mid * factor};
}

Spread operator*(const Spread& a, const Spread& b) {
  return {a.mid * b.mid, std::hypot(a.sd, b.sd)};
}
Spread operator*(const Spread& a, double k) { return {a.mid * k, a.sd}; }
Spread operator/(double k, const Spread& a) { return {k / a.mid, a.sd}; }
Spread operator+(const Spread& a, const Spread& b) {
  const double mid = a.mid + b.mid;
  if (!(mid > 0)) return {mid, 0};
  return {mid, std::hypot(a.mid * a.sd, b.mid * b.sd) / mid};
}

PlanFigure FigureOf(std::string key, std::string label, std::string unit,
                    const Spread& spread, std::string source) {
  return {std::move(key), std::move(label),  std::move(unit),
          spread.range(), Origin::kModelled, std::move(source)};
}

const std::vector<TrainingRun>& TrainingRuns() {
  static const std::vector<TrainingRun> runs = ReadRuns();
  return runs;
}

Spread EfficiencyPrior(const Accelerator& chip, bool early_stack,
                       std::string_view without) {
  const FamilySums sums = LogEfficiencies(without);
  std::map<Group, Sums> groups;  // of the families' means
  for (const auto& [key, own] : sums) {
    Sums& group = groups[key.first];
    group.n += 1;
    group.sum += own.mean();
  }
  double variance = 0;
  double overall = 0;
  for (const auto& [key, own] : sums) {
    variance += own.variance_about(groups[key.first].mean());
    overall += own.mean();
  }
  const auto families = static_cast<double>(sums.size());
  const double freedom = families - static_cast<double>(groups.size());
  const double sd = std::sqrt(variance / freedom);
  const auto group = groups.find(GroupOf(chip, early_stack));
  if (group == groups.end()) return {std::exp(overall / families), kUnknownSd};
  const double predictive = sd * std::sqrt(1 + 1 / group->second.n) *
                            WiderForFew(static_cast<int>(freedom));
  const bool other = chip.kind != "gpu" && chip.kind != "tpu";
  return {std::exp(group->second.mean()),
          std::hypot(predictive, other ? kOtherKindSd : 0)};
}

// Device and host: a serving device draws 0.73 of its TDP at the median
// (ML.ENERGY), a training one more; the host adds 0.06 / 0.14 of it (Elsworth
// et al. 2025). A TPU's "TDP" is the most that was seen of the chip alone.
Spread PowerPrior(const Accelerator& chip, std::string_view without) {
  constexpr Spread kGpu{1.05, 0.2};
  constexpr Spread kTpu{1.27, 0.3};
  constexpr double kLeastSd = 0.12;  // between systems with the same chip
  double n = 0;
  double sum = 0;
  double squares = 0;
  for (const TrainingRun& run : TrainingRuns()) {
    if (run.family == without || run.chip != chip.id) continue;
    if (run.energy_kind != "metered" || !run.watts) continue;
    const double x = std::log(*run.watts / chip.tdp.value());
    n += 1;
    sum += x;
    squares += x * x;
  }
  if (n == 0) return chip.kind == "tpu" ? kTpu : kGpu;
  const double mean = sum / n;
  const double sd =
      n > 1 ? std::sqrt((squares - n * mean * mean) / (n - 1)) : 0;
  return {std::exp(mean), std::max(sd, kLeastSd) * std::sqrt(1 + 1 / n)};
}

TrainFigures EstimateTraining(const TrainInputs& in) {
  TrainFigures out;
  out.gpu_hours = in.gpu_hours ? Spread{*in.gpu_hours, 0}
                               : in.flop / 3600 / in.peak / in.efficiency;
  out.days = out.gpu_hours * (1 / in.devices / 24);
  const Spread it_kwh = out.gpu_hours * in.watts * 1e-3;
  const Spread kwh = it_kwh * in.pue;
  out.energy_mwh = kwh * 1e-3;
  out.tco2e = kwh * in.intensity * 1e-6;
  if (in.market) out.market_t = kwh * *in.market * 1e-6;
  out.embodied_t = out.gpu_hours * in.embodied * 1e-6;
  out.water_l = it_kwh * in.water;
  out.rent = out.gpu_hours * in.rent;
  out.electricity = kwh * in.tariff;
  out.hardware = out.gpu_hours * in.own;
  // Both grow with the hours: their spread is the hours' and the larger other.
  out.own = out.electricity + out.hardware;
  out.own.sd = std::max(out.own.sd, out.gpu_hours.sd);
  out.project_mwh = out.energy_mwh * in.development;
  out.project_t = out.tco2e * in.development;
  return out;
}

}  // namespace modicum
