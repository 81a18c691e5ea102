// SPDX-License-Identifier: Apache-2.0
// `modicum plan improve`: model, machine, mechanization, map.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "base/file.h"
#include "cli/parse.h"
#include "cli/plan_inputs.h"
#include "cli/plan_verbs.h"
#include "cli/print_error.h"
#include "cli/saved_plan.h"
#include "cli/train_flags.h"
#include "plan/amount.h"
#include "plan/improve_plan.h"

namespace modicum {
namespace {

struct ImproveFlags {
  TrainFlags train;
  std::string saved;  // file of the plan that it begins from
  std::string model, tokens, gpu, provider, region;
  std::string format = "table";
};

std::optional<int> ParseFlags(const std::vector<std::string>& args,
                              ImproveFlags& flags) {
  CLI::App app(
      "Says what a training run would emit with a better model, machine, data\n"
      "centre and grid, one step at a time, beside the published factors.\n\n"
      "  modicum plan improve --model gpt-3 --tokens 300B --gpu v100 \\\n"
      "    --early-stack --place US --to-model mixtral-8x7b --to-place SE\n"
      "  modicum plan improve plan.json --to-place SE",
      "modicum plan improve");
  AddText(app, "plan", flags.saved,
          "what `modicum plan train --format json` wrote; flags change it");
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
  AddFormatFlag(app, flags.format);
  return ParseArgs(app, args);
}

// The saved plan's flags; those of a sweep are not this plan's.
Status ReadSaved(Context& context, ImproveFlags& flags) {
  MODICUM_TRY(const std::string text, ReadFile(flags.saved));
  auto words = ParsePlanCommand(text, "train");
  if (!words)
    return Fail(words.error().code, flags.saved + ": " + words.error().message,
                words.error().hint);
  MODICUM_RETURN_IF_ERROR(TakeSavedSettings(*words, context.settings));
  CLI::App app("", "modicum plan train");
  std::vector<std::string> sweeps;
  std::string plot, format;
  AddTrainFlags(app, flags.train);
  AddSweepFlags(app, sweeps, plot);
  AddFormatFlag(app, format);
  if (ParseArgs(app, *words))
    return Fail(ErrorCode::kInvalidInput,
                flags.saved + ": its command is not one of this version",
                "plan it again: modicum plan train ... --format json");
  return {};
}

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
  if (const auto code = ParseFlags(args, flags)) return *code;
  if (!flags.saved.empty()) {
    ImproveFlags both;
    both.saved = flags.saved;
    if (const Status read = ReadSaved(context, both); !read)
      return UsageError(read.error());
    // What is given now goes before what was saved.
    if (const auto code = ParseFlags(args, both)) return *code;
    flags = both;
  }
  const auto query = QueryOf(context, flags);
  if (!query) return UsageError(query.error());
  return PrintPlanOrError(PlanImprovements(*query), flags.format);
}

}  // namespace modicum
