// SPDX-License-Identifier: Apache-2.0
#include "hardware/load_curve.h"

#include <cmath>
#include <map>
#include <vector>

#include "base/csv.h"
#include "base/estimate.h"
#include "base/result.h"
#include "data/cpu_load_points.h"

namespace modicum {
namespace {

// The rules of data/cpu_load_points.csv.
constexpr double kLeastPlausibleWatts = 2;
// The idle fraction is searched on a grid: 78 points cannot tell it closer.
constexpr double kIdleStep = 0.01;
constexpr int kIdleSteps = 40;

using ByMachine = std::map<std::string, std::vector<LoadPoint>>;

ByMachine Group(std::span<const LoadPoint> points) {
  ByMachine groups;
  for (const LoadPoint& point : points) groups[point.machine].push_back(point);
  return groups;
}

// Mean over machines of the mean over their points: a machine with more rows
// does not weigh more.
template <class F>
double BalancedMean(const ByMachine& groups, F value) {
  double sum = 0;
  for (const auto& [machine, points] : groups) {
    double of_machine = 0;
    for (const LoadPoint& point : points) of_machine += value(point);
    sum += of_machine / static_cast<double>(points.size());
  }
  return sum / static_cast<double>(groups.size());
}

double Square(double x) { return x * x; }

double CostResidual(const LoadCurve& curve, const LoadPoint& point) {
  return std::log(point.power_tdp / point.load / curve.scale);
}

double PowerResidual(const LoadCurve& curve, const LoadPoint& point) {
  return std::log(point.power_tdp / curve.at(point.load));
}

double PowerError(const ByMachine& groups, const LoadCurve& curve) {
  return BalancedMean(groups, [&curve](const LoadPoint& point) {
    return Square(PowerResidual(curve, point));
  });
}

LoadCurve Fit(const ByMachine& groups) {
  LoadCurve best;
  best.scale = std::exp(BalancedMean(groups, [](const LoadPoint& point) {
    return std::log(point.power_tdp / point.load);
  }));
  double least = PowerError(groups, best);
  for (int step = 1; step < kIdleSteps; ++step) {
    const LoadCurve curve{best.scale, step * kIdleStep};
    const double error = PowerError(groups, curve);
    if (error >= least) continue;
    least = error;
    best.idle_fraction = curve.idle_fraction;
  }
  return best;
}

ByMachine Without(const ByMachine& groups, const std::string& machine) {
  ByMachine rest = groups;
  rest.erase(machine);
  return rest;
}

// Residuals of one machine under the curve of the others.
struct HeldOut {
  std::vector<double> cost;
  std::vector<double> power;
};

std::map<std::string, HeldOut> LeaveOneMachineOut(const ByMachine& groups) {
  std::map<std::string, HeldOut> out;
  for (const auto& [machine, points] : groups) {
    const LoadCurve curve = Fit(Without(groups, machine));
    HeldOut& held_out = out[machine];
    for (const LoadPoint& point : points) {
      held_out.cost.push_back(CostResidual(curve, point));
      held_out.power.push_back(PowerResidual(curve, point));
    }
  }
  return out;
}

double MeanOf(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double MeanSquare(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v * v;
  return sum / static_cast<double>(values.size());
}

// The width that leaving one machine out of `groups` gives.
double WidthFrom(const ByMachine& groups) {
  double sum = 0;
  for (const auto& [machine, held_out] : LeaveOneMachineOut(groups))
    sum += MeanSquare(held_out.cost);
  return std::sqrt(sum / static_cast<double>(groups.size()));
}

double CoveredShare(const ByMachine& groups,
                    const std::map<std::string, HeldOut>& residuals) {
  int covered = 0;
  int all = 0;
  for (const auto& [machine, held_out] : residuals) {
    const double half = kZ90 * WidthFrom(Without(groups, machine));
    for (const double r : held_out.cost) {
      ++all;
      if (std::abs(r) <= half) ++covered;
    }
  }
  return static_cast<double>(covered) / all;
}

std::vector<LoadPoint> ReadPoints() {
  const EmbeddedTable table(kCpuLoadPointsCsv);
  std::map<std::string, bool> faulty;
  std::vector<LoadPoint> points;
  for (size_t row = 0; row < table.size(); ++row) {
    const std::string& machine = table.at(row, "machine");
    const double tdp = table.number(row, "package_tdp_w").value() *
                       table.number(row, "packages").value();
    const double watts = table.number(row, "watts").value();
    const double load = table.number(row, "load").value();
    if (watts > tdp) faulty[machine] = true;
    if (watts >= kLeastPlausibleWatts && load > 0)
      points.push_back({machine, load, watts / tdp});
  }
  std::erase_if(points, [&faulty](const LoadPoint& point) {
    return faulty.contains(point.machine);
  });
  return points;
}

}  // namespace

LoadCurve FitLoadCurve(std::span<const LoadPoint> points) {
  MODICUM_CHECK(!points.empty());
  return Fit(Group(points));
}

LoadCurveQuality AssessLoadCurve(std::span<const LoadPoint> points) {
  const ByMachine groups = Group(points);
  MODICUM_CHECK(groups.size() >= 3);
  const auto residuals = LeaveOneMachineOut(groups);
  LoadCurveQuality q;
  q.points = static_cast<int>(points.size());
  q.machines = static_cast<int>(groups.size());
  double shared = 0;
  double total = 0;
  double power = 0;
  for (const auto& [machine, held_out] : residuals) {
    shared += Square(MeanOf(held_out.cost));
    total += MeanSquare(held_out.cost);
    power += MeanSquare(held_out.power);
    for (const double r : held_out.cost) {
      q.mape += std::abs(std::exp(-r) - 1) / q.points;
      q.bias += (std::exp(-r) - 1) / q.points;
    }
  }
  q.ln_sd = std::sqrt(total / q.machines);
  q.machine_sd = std::sqrt(shared / q.machines);
  q.workload_sd = std::sqrt((total - shared) / q.machines);
  q.power_ln_sd = std::sqrt(power / q.machines);
  q.coverage90 = CoveredShare(groups, residuals);
  return q;
}

std::span<const LoadPoint> LoadPoints() {
  static const std::vector<LoadPoint> points = ReadPoints();
  return points;
}

const LoadCurve& TypicalLoadCurve() {
  static const LoadCurve curve = FitLoadCurve(LoadPoints());
  return curve;
}

const LoadCurveQuality& TypicalLoadCurveQuality() {
  static const LoadCurveQuality quality = AssessLoadCurve(LoadPoints());
  return quality;
}

}  // namespace modicum
