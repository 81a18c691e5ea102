// SPDX-License-Identifier: Apache-2.0
// `modicum plan VERB`: what AI will cost, before it is bought.
#include <fmt/format.h>

#include <array>

#include "cli/command.h"
#include "cli/plan_verbs.h"
#include "cli/verbs.h"

namespace modicum {
namespace {

constexpr std::array<Command, 11> kVerbs{{
    {"train", "memory, GPUs, time, energy, carbon, water, money of training",
     PlanTrain},
    {"serve", "GPUs and batch that answer in time, cost and joules per query",
     PlanServe},
    {"size", "the parameters and tokens that a budget is best spent on",
     PlanSize},
    {"where", "regions by carbon, water and price of a job", PlanWhere},
    {"when", "the hours with the least carbon for a job", PlanWhen},
    {"improve", "model, machine, mechanization, map: what each step saves",
     PlanImprove},
    {"audit", "checks the figures of tables and texts, with the arithmetic",
     PlanAudit},
    {"precision", "bytes to store, run and train, by number format",
     PlanPrecision},
    {"selftest", "predicts published runs and says how well", PlanSelftest},
    {"chips", "lists the chips that plans are made for", PlanChips},
    {"models", "lists the models whose shape is known", PlanModels},
}};

std::string Help() {
  std::string text =
      "Says what AI will cost, before it is bought: fits or not, chips, days,\n"
      "energy, carbon, water, money, each with an interval and its source.\n\n"
      "Usage: modicum plan <verb> [options]\n\n";
  for (const Command& verb : kVerbs)
    text += fmt::format("  {:<11} {}\n", verb.name, verb.summary);
  return text + "\n`modicum plan <verb> --help` shows a verb's options.\n";
}

}  // namespace

Result<int> CmdPlan(Context& context, const std::vector<std::string>& args) {
  return RunVerb({"plan", "verb", kVerbs, Help()}, context, args);
}

}  // namespace modicum
