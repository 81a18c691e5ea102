// SPDX-License-Identifier: Apache-2.0
// `modicum plan train`: what a training run takes.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/parse.h"
#include "cli/plan_inputs.h"
#include "cli/plan_verbs.h"
#include "cli/print_error.h"
#include "cli/saved_plan.h"
#include "cli/train_flags.h"
#include "plan/sweep.h"
#include "plan/train_plan.h"

namespace modicum {

Result<int> PlanTrain(Context& context, const std::vector<std::string>& args) {
  TrainFlags flags;
  std::vector<std::string> sweeps;
  std::string plot;
  std::string format = "table";
  CLI::App app(
      "Plans a training run: memory, GPUs, time, energy, carbon, water and\n"
      "money, each with its P10 to P90.\n\n"
      "  modicum plan train --model llama-2-7b --tokens 2T --gpu a100-80 \\\n"
      "    --count 1024 --place us-va\n"
      "  modicum plan train --params 7B --tokens 10M --gpu rtx4090 --qlora 16",
      "modicum plan train");
  AddTrainFlags(app, flags);
  AddSweepFlags(app, sweeps, plot);
  AddFormatFlag(app, format);
  if (const auto code = ParseArgs(app, args)) return *code;
  const auto query = TrainQueryOf(context, flags);
  if (!query) return UsageError(query.error());
  const auto axes = ReadSweeps(sweeps, TrainSweepNames());
  if (!axes) return UsageError(axes.error());
  auto plan =
      axes->empty() ? PlanTraining(*query) : SweepTraining(*query, *axes, plot);
  if (plan) plan->command = PlanCommand("train", args, context.settings);
  return PrintPlanOrError(plan, format);
}

}  // namespace modicum
