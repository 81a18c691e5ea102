// SPDX-License-Identifier: Apache-2.0
// `modicum plan improve`: model, machine, mechanization, map.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/parse.h"
#include "cli/plan_inputs.h"
#include "cli/plan_verbs.h"
#include "cli/print_error.h"
#include "cli/train_flags.h"
#include "plan/amount.h"
#include "plan/improve_plan.h"

namespace modicum {
namespace {

struct ImproveFlags {
  TrainFlags train;
  std::string model, tokens, gpu, provider, region;
};

Result<ImproveQuery> QueryOf(const Context& context,
                             const ImproveFlags& flags) {
  ImproveQuery query;
  MODICUM_TRY(query.now, TrainQueryOf(context, flags.train));
  if (!flags.model.empty()) {
    MODICUM_TRY(query.model, ReadArchitecture({flags.model, ""}));
  }
  if (!flags.tokens.empty()) {
    MODICUM_TRY(query.tokens, ParseAmount(flags.tokens, "--to-tokens"));
  }
  if (!flags.gpu.empty()) {
    MODICUM_TRY(query.chip, ReadChip({flags.gpu, ""}));
  }
  query.provider = flags.provider;
  query.region = flags.region;
  return query;
}

}  // namespace

Result<int> PlanImprove(Context& context,
                        const std::vector<std::string>& args) {
  ImproveFlags flags;
  std::string format = "table";
  CLI::App app(
      "Says what a training run would emit with a better model, machine, data\n"
      "centre and grid, one step at a time, beside the published factors.\n\n"
      "  modicum plan improve --model gpt-3 --tokens 300B --gpu v100 \\\n"
      "    --early-stack --place US --to-model mixtral-8x7b --to-place SE",
      "modicum plan improve");
  AddText(app, "--to-model", flags.model,
          "the better model [compute-optimal for the same loss]");
  AddText(app, "--to-tokens", flags.tokens, "its tokens [as many]");
  AddText(app, "--to-gpu", flags.gpu,
          "the better chip [the least joules a useful FLOP]");
  AddText(app, "--to-provider", flags.provider,
          "the better data centre [the provider of the least PUE]");
  AddText(app, "--to-place", flags.region,
          "the better grid [the cleanest with published prices]");
  AddTrainFlags(app, flags.train);
  AddFormatFlag(app, format);
  if (const auto code = ParseArgs(app, args)) return *code;
  const auto query = QueryOf(context, flags);
  if (!query) return UsageError(query.error());
  return PrintPlanOrError(PlanImprovements(*query), format);
}

}  // namespace modicum
