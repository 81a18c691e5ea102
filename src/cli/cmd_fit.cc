// SPDX-License-Identifier: Apache-2.0
// modicum fit TASK: open ledger, probes and place, fit, record the run,
// print the result.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/file.h"
#include "base/terminal.h"
#include "base/version.h"
#include "cli/command.h"
#include "cli/parse.h"
#include "cli/place_settings.h"
#include "fit/fit.h"
#include "fit/task.h"
#include "hardware/machine.h"
#include "meter/meter.h"
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

// Everything a fit stands on, opened in order.
struct Bench {
  HostFacts host;
  Place place;
  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<Meter> meter;
};

Result<Bench> OpenBench(const Context& context, const Task& task) {
  Bench bench;
  bench.host = DetectHost(context.fs);
  MODICUM_TRY(bench.place, FindPlace(MergedPlace(task, context.settings)));
  MODICUM_TRY(bench.ledger, Ledger::Open(context.settings.ledger));
  MODICUM_TRY(auto probes,
              OpenProbes(context.fs, bench.host, context.settings.probe,
                         context.clock.Now()));
  MeterOptions options;
  options.period = Seconds(1 / context.settings.sample_hz);
  MODICUM_TRY(options.idle_policy,
              ParseIdlePolicy(context.settings.idle_policy));
  MODICUM_TRY(bench.meter, Meter::Open(options, std::move(probes), context.fs,
                                       bench.host, context.clock));
  return bench;
}

// Runs the fit inside a metered window and keeps the run in the ledger,
// whatever comes of it.
Result<FitResult> RecordedFit(const Context& context, const FitFlags& flags,
                              const Task& task, const Bench& bench) {
  Run run;
  run.id = NewUuid();
  run.kind = "fit";
  run.name = task.name;
  run.project = context.settings.project;
  run.started = context.clock.WallNow();
  run.host = bench.host;
  run.version = Version();
  MODICUM_RETURN_IF_ERROR(bench.ledger->Put(run));

  Progress progress(stderr, "fit", 1, context.clock);
  FitParts parts{*bench.ledger,
                 *bench.meter,
                 bench.place,
                 bench.host,
                 context.fs,
                 context.clock,
                 context.stop,
                 context.settings.data_dir,
                 flags.no_artifact ? "" : flags.output,
                 std::string(Version()),
                 run.id,
                 {}};
  if (!flags.quiet)
    parts.progress = [&progress](uint64_t done, uint64_t total,
                                 std::string_view what) {
      progress.Update(done, fmt::format("{}/{} {}", done, total, what));
    };
  const WindowId window = bench.meter->Begin("fit run");
  auto result = Fit(task, parts);
  MODICUM_TRY(const WindowReading reading, bench.meter->End(window));

  run.ended = context.clock.WallNow();
  run.bill =
      MakeBill(reading, bench.place, bench.host, bench.meter->components());
  const bool stopped =
      !result && result.error().code == ErrorCode::kInterrupted;
  run.status = result    ? RunStatus::kOk
               : stopped ? RunStatus::kInterrupted
                         : RunStatus::kFailed;
  run.exit_code = result ? kExitOk : stopped ? kExitInterrupted : kExitFailed;
  MODICUM_RETURN_IF_ERROR(bench.ledger->Put(run));
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
  MODICUM_TRY(const Bench bench, OpenBench(context, task));
  MODICUM_TRY(const FitResult result, RecordedFit(context, flags, task, bench));
  MODICUM_TRY(const std::string text, Formatted(result, flags.format));
  std::fputs(text.c_str(), stdout);
  if (!flags.save.empty())
    MODICUM_RETURN_IF_ERROR(
        WriteFileAtomically(flags.save, FormatFitJson(result)));
  return result.chosen.empty() ? kExitBelowQuality : kExitOk;
}

}  // namespace modicum
