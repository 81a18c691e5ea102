// SPDX-License-Identifier: Apache-2.0
// `modicum plan improve`: what a training run would emit with a better model,
// machine, data centre and grid, one step at a time (Patterson et al. 2022,
// The Carbon Footprint of Machine Learning Training Will Plateau, Then
// Shrink: "4M").
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "plan/train_plan.h"
#include "record/plan.h"

namespace modicum {

struct ImproveQuery {
  TrainQuery now;
  // Model: nullopt: the compute-optimal one of the same predicted loss, where
  // the run has too few tokens for its size.
  std::optional<Architecture> model;
  std::optional<double> tokens;     // of that model; nullopt: as many
  std::optional<Accelerator> chip;  // machine; nullopt: the best
  std::string provider;             // mechanization; "": the least PUE
  std::string region;               // map; "": the least intensity
};

// kInvalidInput: adapters, an intensity of 0; kNotFound: an unknown region or
// provider, with "did you mean".
Result<Plan> PlanImprovements(const ImproveQuery& query);

}  // namespace modicum
