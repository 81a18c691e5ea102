// SPDX-License-Identifier: Apache-2.0
// `modicum plan size`: how large a model a budget is best spent on.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/parse.h"
#include "cli/plan_inputs.h"
#include "cli/plan_verbs.h"
#include "cli/print_error.h"
#include "cli/train_flags.h"
#include "plan/amount.h"
#include "plan/size_plan.h"

namespace modicum {
namespace {

struct SizeFlags {
  std::string budget, lifetime_tokens;
  std::string constants = "epoch";
  TrainFlags train;
};

Result<SizeQuery> QueryOf(const Context& context, const SizeFlags& flags) {
  SizeQuery query;
  if (flags.budget.empty())
    return Fail(ErrorCode::kInvalidInput, "with which budget?",
                "--budget 1e21flop, --budget 5000usd or --budget 2MWh");
  MODICUM_TRY(query.budget, ParseBudget(flags.budget, "--budget"));
  MODICUM_TRY(query.law, FindScalingLaw(flags.constants));
  if (!flags.lifetime_tokens.empty()) {
    MODICUM_TRY(query.lifetime_tokens,
                ParseAmount(flags.lifetime_tokens, "--lifetime-tokens"));
  }
  if (flags.train.chip.gpu.empty()) return query;
  TrainQuery train;
  MODICUM_RETURN_IF_ERROR(ReadMachine(context, flags.train, train));
  query.train = std::move(train);
  return query;
}

}  // namespace

Result<int> PlanSize(Context& context, const std::vector<std::string>& args) {
  SizeFlags flags;
  std::string format = "table";
  CLI::App app(
      "Sizes a model: the parameters and tokens that a budget is best spent on,"
      "\nfor training alone and over what the model will serve.\n\n"
      "  modicum plan size --budget 1e21flop --lifetime-tokens 1T\n"
      "  modicum plan size --budget 5000usd --gpu h100 --count 8 --place PL",
      "modicum plan size");
  AddText(app, "--budget", flags.budget, "1e21flop, 5000usd or 2MWh");
  AddText(app, "--lifetime-tokens", flags.lifetime_tokens,
          "tokens served over its life: 1T");
  app.add_option("--constants", flags.constants,
                 "epoch, hoffmann (as printed) or hoffmann-unrounded")
      ->capture_default_str();
  AddMachineFlags(app, flags.train);
  AddFormatFlag(app, format);
  if (const auto code = ParseArgs(app, args)) return *code;
  const auto query = QueryOf(context, flags);
  if (!query) return UsageError(query.error());
  return PrintPlanOrError(PlanSizing(*query), format);
}

}  // namespace modicum
