// SPDX-License-Identifier: Apache-2.0
// How a package's power follows its load, fitted on data/cpu_load_points.csv.
//
// The form is linear in CPU time: P(u) = TDP * scale * (f + (1 - f) * u), with
// f the idle fraction. Then a CPU-second costs TDP * scale / threads, idle
// share included, whatever else the machine does, so that ratios of CPU time
// are ratios of energy. `scale` is fitted to that cost, f to the power.
//
// The idle fraction is the weak part: the data's idle rows are unusable, so it
// comes from rows at 7 to 20 % load, and anything from 3 to 15 % fits nearly
// as well (root mean square residual 0.42 to 0.45). Whole servers at the wall
// idle at 12 to 30 % of full power (SPECpower_ssj2008 results of 2019 to 2021),
// fans, memory and power supply included: idle power is a low estimate.
#pragma once

#include <span>
#include <string>

namespace modicum {

// One accepted row: power as a fraction of the packages' TDP.
struct LoadPoint {
  std::string machine;
  double load = 0;       // 0 to 1, above 0
  double power_tdp = 0;  // measured watts / TDP
};

struct LoadCurve {
  double scale = 1;          // power at full load / TDP
  double idle_fraction = 0;  // power at no load / power at full load
  double at(double load) const {
    return scale * (idle_fraction + (1 - idle_fraction) * load);
  }
};

// How far the curve misses on machines it has not seen: each machine's points
// are predicted by the curve of the others. Residuals are of the energy per
// CPU-second, the quantity a bill is made of, on the ln scale.
struct LoadCurveQuality {
  int points = 0;
  int machines = 0;
  double ln_sd = 0;        // root mean square residual, machines equal
  double machine_sd = 0;   // part that all work on a machine shares
  double workload_sd = 0;  // part that differs with load and placement
  double power_ln_sd = 0;  // the same measure for the package's power
  double mape = 0;         // mean |predicted / measured - 1|
  double bias = 0;         // mean of predicted / measured - 1
  double coverage90 = 0;   // share of points inside the 90 % interval that the
                           // other machines alone would have given
};

LoadCurve FitLoadCurve(std::span<const LoadPoint> points);
// Needs at least three machines.
LoadCurveQuality AssessLoadCurve(std::span<const LoadPoint> points);

// Of the embedded table; computed once. Thread-safe.
std::span<const LoadPoint> LoadPoints();
const LoadCurve& TypicalLoadCurve();
const LoadCurveQuality& TypicalLoadCurveQuality();

}  // namespace modicum
