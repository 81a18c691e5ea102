// SPDX-License-Identifier: Apache-2.0
// `modicum plan VERB`: what AI will cost, before it is bought.
#include <fmt/format.h>

#include <array>
#include <cstdio>

#include "base/suggest.h"
#include "cli/command.h"
#include "cli/plan_verbs.h"
#include "cli/print_error.h"

namespace modicum {
namespace {

constexpr std::array<Command, 7> kVerbs{{
    {"train", "memory, GPUs, time, energy, carbon, water, money of training",
     PlanTrain},
    {"serve", "GPUs and batch that answer in time, cost and joules per query",
     PlanServe},
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

int WrongVerb(const std::string& word) {
  std::vector<std::string_view> names;
  for (const Command& verb : kVerbs) names.push_back(verb.name);
  return UsageError(
      {ErrorCode::kInvalidInput,
       "unknown plan verb '" + word + "'" + DidYouMean(word, names),
       "`modicum plan --help` lists the verbs"});
}

}  // namespace

Result<int> CmdPlan(Context& context, const std::vector<std::string>& args) {
  if (args.empty() || args[0] == "--help" || args[0] == "-h") {
    std::fputs(Help().c_str(), args.empty() ? stderr : stdout);
    return args.empty() ? kExitUsage : kExitOk;
  }
  for (const Command& verb : kVerbs)
    if (verb.name == args[0])
      return verb.run(context, {args.begin() + 1, args.end()});
  return WrongVerb(args[0]);
}

}  // namespace modicum
