// SPDX-License-Identifier: Apache-2.0
// Time, energy, carbon, water and money of a training run, in closed form:
// every uncertain input is log-normal, so products are too.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hardware/accelerators.h"
#include "record/plan.h"

namespace modicum {

// z of P10 and P90.
inline constexpr double kZ80 = 1.2815515655446004;

// A log-normal quantity: its median and the standard deviation of its
// logarithm; 0: known.
struct Spread {
  double mid = 0;
  double sd = 0;

  Range<double> range() const;
};
Spread operator*(const Spread& a, const Spread& b);
Spread operator*(const Spread& a, double k);
Spread operator/(double k, const Spread& a);
// Medians add; the spread by the delta method, as if independent.
Spread operator+(const Spread& a, const Spread& b);

// A modelled figure of a plan; see PlanFigure for the texts.
PlanFigure FigureOf(std::string key, std::string label, std::string unit,
                    const Spread& spread, std::string source);

// A row of data/published_training.csv.
struct TrainingRun {
  std::string name, family, chip, stack, energy_kind;
  double parameters = 0, tokens = 0, gpu_hours = 0;
  std::optional<double> watts, pue, energy_mwh, tco2e;

  double flop() const { return 6 * parameters * tokens; }
};
const std::vector<TrainingRun>& TrainingRuns();

// How much of a chip's dense peak a run gets, restarts and waiting included
// (MFU x goodput), by group of chip and software. Each family counts once. The
// spread is predictive: Student's t with the families' degrees of freedom.
// `without`: a family that is left out; "" none.
Spread EfficiencyPrior(const Accelerator& chip, bool early_stack,
                       std::string_view without = {});
// Watts of one device and its share of the host over the device's TDP.
Spread PowerPrior(const Accelerator& chip, std::string_view without = {});

// Nothing here is text: the planner calls it millions of times.
struct TrainInputs {
  double flop = 0;  // of the whole run
  double peak = 0;  // FLOP/s of one device
  double devices = 1;
  Spread efficiency;
  std::optional<double> gpu_hours;  // known: the time is not modelled
  Spread watts;                     // per device, host included
  Spread pue{1, 0};
  Spread intensity;              // g/kWh, location-based
  std::optional<Spread> market;  // g/kWh
  Spread water;                  // L per kWh of IT energy
  Spread rent;                   // USD per device-hour
  Spread own;                    // USD per device-hour, hardware
  Spread tariff;                 // USD/kWh
  Spread embodied;               // g per device-hour
  Spread development{1, 0};      // whole project over this run
};

struct TrainFigures {
  Spread gpu_hours, days, energy_mwh, tco2e, embodied_t, water_l, rent, own,
      electricity, hardware, project_mwh, project_t;
  std::optional<Spread> market_t;
};

TrainFigures EstimateTraining(const TrainInputs& inputs);

}  // namespace modicum
