// SPDX-License-Identifier: Apache-2.0
// modicum fit TASK: open ledger, probes and place, fit, record the run,
// print the result.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>

#include "base/file.h"
#include "base/terminal.h"
#include "base/version.h"
#include "cli/command.h"
#include "cli/instruments.h"
#include "cli/parse.h"
#include "cli/place_settings.h"
#include "fit/fit.h"
#include "fit/task.h"
#include "record/ledger.h"
#include "report/fit_report.h"

namespace modicum {
namespace {

struct FitFlags {
  std::string task;
  std::string output;
  std::string format = "table";
  std::string save;
  bool no_artifact = false;
  bool quiet = false;
};

Result<std::string> Formatted(const FitResult& result,
                              const std::string& format) {
  if (format == "json") return FormatFitJson(result);
  if (format == "csv") return FormatFitCsv(result);
  if (format == "md") return FormatFitMarkdown(result);
  return FormatFit(result);
}

// The task file's place wins over the settings'.
PlaceQuery MergedPlace(const Task& task, const Settings& settings) {
  PlaceQuery query = PlaceQueryOf(settings);
  const PlaceQuery& own = task.place;
  if (!own.region.empty()) query.region = own.region;
  if (!own.provider.empty()) query.provider = own.provider;
  if (own.intensity) query.intensity = own.intensity;
  if (own.pue) query.pue = own.pue;
  if (own.wue) query.wue = own.wue;
  if (own.tariff) query.tariff = own.tariff;
  if (!own.currency.empty()) query.currency = own.currency;
  return query;
}

// Runs the fit inside a metered window and keeps the run in the ledger,
// whatever comes of it.
Result<FitResult> RecordedFit(const Context& context, const FitFlags& flags,
                              const Task& task, const Instruments& instruments,
                              Ledger& ledger) {
  Run run;
  run.id = NewUuid();
  run.kind = "fit";
  run.name = task.name;
  run.project = context.settings.project;
  run.started = context.clock.WallNow();
  run.host = instruments.host;
  run.version = Version();
  MODICUM_RETURN_IF_ERROR(ledger.Put(run));

  std::optional<Progress> progress;  // cleared from the terminal at the end
  uint64_t steps = 0;
  FitParts parts{ledger,
                 *instruments.meter,
                 instruments.place,
                 instruments.host,
                 context.fs,
                 context.clock,
                 context.stop,
                 context.settings.data_dir,
                 flags.no_artifact ? "" : flags.output,
                 std::string(Version()),
                 run.id,
                 {}};
  if (!flags.quiet)
    parts.progress = [&](uint64_t done, uint64_t total, std::string_view what) {
      if (total != steps) progress.emplace(stderr, "fit", total, context.clock);
      steps = total;
      progress->Update(done, what);
    };
  const WindowId window = instruments.meter->Begin("fit run");
  auto result = Fit(task, parts);
  MODICUM_TRY(const WindowReading reading, instruments.meter->End(window));

  run.ended = context.clock.WallNow();
  run.bill = instruments.BillOf(reading);
  const bool stopped =
      !result && result.error().code == ErrorCode::kInterrupted;
  run.status = result    ? RunStatus::kOk
               : stopped ? RunStatus::kInterrupted
                         : RunStatus::kFailed;
  run.exit_code = result ? kExitOk : stopped ? kExitInterrupted : kExitFailed;
  MODICUM_RETURN_IF_ERROR(ledger.Put(run));
  if (stopped)
    return Fail(ErrorCode::kInterrupted,
                "fit interrupted; every finished trial is in the ledger",
                "run the same command again to go on from there");
  if (result) result->missing = run.bill->missing;
  return result;
}

}  // namespace

Result<int> CmdFit(Context& context, const std::vector<std::string>& args) {
  CLI::App app(
      "Finds the cheapest model that is good enough for a task.\n\n"
      "  modicum fit examples/spam/task.toml\n"
      "  modicum fit task.toml --format json > result.json",
      "modicum fit");
  FitFlags flags;
  app.add_option("task", flags.task, "the task file (TOML)")->required();
  app.add_option("-o,--output", flags.output,
                 "where to write the model [default: NAME.modicum]");
  app.add_option("--format", flags.format, "table, json, csv or md")
      ->check(CLI::IsMember({"table", "json", "csv", "md"}));
  app.add_option("--save", flags.save,
                 "also write the result as JSON to this file");
  app.add_flag("--no-artifact", flags.no_artifact, "write no model");
  app.add_flag("-q,--quiet", flags.quiet, "no progress");
  if (const auto exit = ParseArgs(app, args)) return *exit;

  MODICUM_TRY(const Task task, LoadTask(flags.task));
  if (flags.output.empty()) flags.output = task.name + ".modicum";
  MODICUM_TRY(const Instruments instruments,
              OpenInstruments(context, MergedPlace(task, context.settings)));
  MODICUM_TRY(const auto ledger, Ledger::Open(context.settings.ledger));
  MODICUM_TRY(const FitResult result,
              RecordedFit(context, flags, task, instruments, *ledger));
  MODICUM_TRY(const std::string text, Formatted(result, flags.format));
  std::fputs(text.c_str(), stdout);
  if (!flags.save.empty())
    MODICUM_RETURN_IF_ERROR(
        WriteFileAtomically(flags.save, FormatFitJson(result)));
  return result.chosen.empty() ? kExitBelowQuality : kExitOk;
}

}  // namespace modicum
