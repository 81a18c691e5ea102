// SPDX-License-Identifier: Apache-2.0
// `modicum plan serve`: what answering takes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>

#include "cli/measured_runs.h"
#include "cli/parse.h"
#include "cli/plan_inputs.h"
#include "cli/plan_verbs.h"
#include "cli/print_error.h"
#include "hardware/machine.h"
#include "plan/amount.h"
#include "plan/serve_plan.h"
#include "plan/sweep.h"

namespace modicum {
namespace {

struct ServeFlags {
  ModelFlags model;
  ChipFlags chip;
  std::string qps = "1", prompt, output, cached, p95, ttft, place;
  ServeQuery query;
  bool measured = false;
  std::vector<std::string> sweeps;
  std::string plot;
  std::string format = "table";
};

void AddLoadFlags(CLI::App& app, ServeFlags& flags) {
  app.add_option("--qps", flags.qps, "queries per second [1]");
  app.add_option("--prompt", flags.prompt, "tokens of a prompt");
  app.add_option("--output", flags.output, "tokens of an answer");
  app.add_option("--cached", flags.cached,
                 "tokens of the prompt whose cache is kept");
  app.add_option("--p95", flags.p95, "95 % of answers within: 2s, 500ms");
  app.add_option("--ttft", flags.ttft, "95 % of first tokens within");
  app.add_option("--busy-hours", flags.query.busy_hours,
                 "hours a day with this traffic, idle the rest [24]")
      ->check(CLI::Range(0.01, 24.0));
  app.add_option("--weights", flags.query.weights,
                 "bf16, fp8, int8, nf4, q4_k, ... [bf16]");
  app.add_option("--kv", flags.query.cache, "format of the cache [bf16]");
  app.add_option("--tensor", flags.query.tensor,
                 "GPUs of one replica [default: the cheapest]")
      ->check(CLI::Range(1, 1024));
}

void AddCostFlags(CLI::App& app, ServeFlags& flags) {
  const auto price = CLI::Range(1e-9, 1e9);
  app.add_option("--place", flags.place, "where: PL, us-va (as --region)");
  app.add_option("--rent", flags.query.rent_usd, "USD per GPU-hour")
      ->check(price);
  app.add_option("--price", flags.query.price, "USD earned per query")
      ->check(price);
  app.add_option("--api-input", flags.query.api_input,
                 "an API's USD per million prompt tokens")
      ->check(price);
  app.add_option("--api-output", flags.query.api_output,
                 "an API's USD per million output tokens")
      ->check(price);
  app.add_flag("--measured", flags.measured,
               "beside it the models that `modicum generate` ran here; where "
               "the chip is a processor they correct the plan");
  app.add_option("--machine-rent", flags.query.machine_rent,
                 "USD an hour of this machine, for --measured")
      ->check(price);
  AddSweepFlags(app, flags.sweeps, flags.plot);
  AddFormatFlag(app, flags.format);
}

std::optional<int> ParseFlags(const std::vector<std::string>& args,
                              ServeFlags& flags) {
  CLI::App app(
      "Plans serving: GPUs and batch that answer in time, J per token by\n"
      "phase, cost per query, margin, each with its P10 to P90.\n\n"
      "  modicum plan serve --model llama-3.1-8b --gpu h100 --qps 20 \\\n"
      "    --prompt 800 --output 300 --p95 6s\n"
      "  modicum plan serve --model qwen3-14b --gpu l40s --weights fp8 \\\n"
      "    --qps 2 --prompt 500 --output 200 --price 0.001",
      "modicum plan serve");
  AddModelFlags(app, flags.model);
  AddChipFlags(app, flags.chip);
  AddLoadFlags(app, flags);
  AddCostFlags(app, flags);
  return ParseArgs(app, args);
}

Result<double> TokensIn(const std::string& text, const char* flag) {
  if (text.empty())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("how many tokens has {}?",
                            flag == std::string_view("--prompt") ? "a prompt"
                                                                 : "an answer"),
                fmt::format("{} 300", flag));
  MODICUM_TRY(const double tokens, ParseAmount(text, flag));
  if (tokens < 1 || tokens > 1e9)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} {} is outside 1 to 1e9 tokens", flag, text),
                fmt::format("{} 300", flag));
  return tokens;
}

// The runs are of this machine; that the chip is this machine's the user says.
Status AddMeasured(const Context& context, ServeQuery& query) {
  const HostFacts host = DetectHost(context.fs);
  std::error_code ignored;
  std::vector<MeasuredRun> runs;
  if (std::filesystem::exists(context.settings.ledger, ignored)) {
    MODICUM_TRY(const auto ledger, Ledger::Open(context.settings.ledger));
    MODICUM_TRY(runs, ReadMeasuredRuns(*ledger, host));
  }
  if (runs.empty())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: no model was measured on this machine ({})",
                            context.settings.ledger, host.cpu_model),
                "modicum generate -m model.gguf -p TEXT measures one, when "
                "nothing else runs");
  query.measured = MeasuredModels(runs);
  query.machine = host.cpu_model;
  if (query.chip.kind == "cpu") query.fit = FitServing(query.chip, runs);
  return {};
}

Result<ServeQuery> QueryOf(const Context& context, ServeFlags& flags) {
  ServeQuery query = flags.query;
  MODICUM_TRY(query.model, ReadArchitecture(flags.model));
  MODICUM_TRY(query.chip, ReadChip(flags.chip));
  MODICUM_TRY(query.prompt, TokensIn(flags.prompt, "--prompt"));
  MODICUM_TRY(query.output, TokensIn(flags.output, "--output"));
  MODICUM_TRY(query.qps, ParseAmount(flags.qps, "--qps"));
  if (query.qps > 1e9)
    return Fail(ErrorCode::kInvalidInput,
                "--qps " + flags.qps + " is more than a billion",
                "queries per second: --qps 20");
  if (!flags.cached.empty()) {
    MODICUM_TRY(query.cached, ParseAmount(flags.cached, "--cached"));
  }
  if (!flags.p95.empty()) {
    MODICUM_TRY(query.p95, ParseSeconds(flags.p95, "--p95"));
  }
  if (!flags.ttft.empty()) {
    MODICUM_TRY(query.ttft, ParseSeconds(flags.ttft, "--ttft"));
  }
  MODICUM_TRY(query.place, ReadPlace(context.settings, flags.place));
  if (flags.measured) MODICUM_RETURN_IF_ERROR(AddMeasured(context, query));
  return query;
}

}  // namespace

Result<int> PlanServe(Context& context, const std::vector<std::string>& args) {
  ServeFlags flags;
  if (const auto code = ParseFlags(args, flags)) return *code;
  const auto query = QueryOf(context, flags);
  if (!query) return UsageError(query.error());
  const auto axes = ReadSweeps(flags.sweeps, ServeSweepNames());
  if (!axes) return UsageError(axes.error());
  const auto plan = axes->empty() ? PlanServing(*query)
                                  : SweepServing(*query, *axes, flags.plot);
  return PrintPlanOrError(plan, flags.format);
}

}  // namespace modicum
