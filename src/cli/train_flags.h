// SPDX-License-Identifier: Apache-2.0
// The flags that describe a training run, of every verb that plans one.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "cli/plan_inputs.h"
#include "plan/train_plan.h"

namespace modicum {

struct TrainFlags {
  ModelFlags model;
  ChipFlags chip;
  std::string tokens, count, place, power, gpu_hours;
  std::string train_format = "mixed";
  std::string recompute;
  std::optional<double> mfu, rent;
  OwnCost own;
  int sequence = 2048, micro_batch = 1;
  int lora = 0, qlora = 0;
  int data = 0, tensor = 0, pipeline = 0, expert = 0, zero = -1;
  bool early = false;
};

// All of them.
void AddTrainFlags(CLI::App& app, TrainFlags& flags);
Result<TrainQuery> TrainQueryOf(const Context& context,
                                const TrainFlags& flags);

// Those that say on what and where it runs and at which prices, not what.
void AddMachineFlags(CLI::App& app, TrainFlags& flags);
Status ReadMachine(const Context& context, const TrainFlags& flags,
                   TrainQuery& query);

}  // namespace modicum
