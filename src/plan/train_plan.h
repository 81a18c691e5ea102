// SPDX-License-Identifier: Apache-2.0
// `modicum plan train`: one training run in every unit.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "hardware/accelerators.h"
#include "plan/architecture.h"
#include "plan/memory.h"
#include "plan/money.h"
#include "plan/training.h"
#include "record/plan.h"

namespace modicum {

// What money of hardware costs where nothing else is said.
struct TrainQuery {
  Architecture model;
  Accelerator chip;
  Place place;
  double tokens = 0;
  std::optional<int> count;  // nullopt: the fewest that fit
  TrainSetup setup;
  std::optional<Parallelism> parallel;  // fixed by the user
  bool early_stack = false;
  std::optional<double> efficiency;  // MFU x goodput
  std::optional<double> gpu_hours;   // known
  std::optional<double> watts;       // per device
  std::optional<double> rent_usd;    // per device-hour
  OwnCost own;
};

// The inputs of EstimateTraining() for `devices`, with the constants used.
TrainInputs TrainInputsOf(const TrainQuery& query, double devices,
                          std::vector<Factor>* factors = nullptr);

// kInvalidInput: contradictory or absurd queries. A model that does not fit
// is a plan that says so.
Result<Plan> PlanTraining(const TrainQuery& query);

}  // namespace modicum
