// SPDX-License-Identifier: Apache-2.0
// `modicum bench`: what to measure out of a file or flags, the measurement
// with its run in the ledger, and the result printed, saved, shown.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "base/file.h"
#include "base/terminal.h"
#include "base/version.h"
#include "bench/bench.h"
#include "bench/merge.h"
#include "cli/command.h"
#include "cli/instruments.h"
#include "cli/parse.h"
#include "cli/print_error.h"
#include "place/place_settings.h"
#include "record/ledger.h"
#include "record/start_run.h"
#include "report/bench_html.h"
#include "report/bench_report.h"

namespace modicum {
namespace {

struct BenchFlags {
  std::string file;
  // Instead of a file.
  std::string task;
  std::vector<std::string> models, data;
  std::string data_format;
  std::optional<std::string> text, label, metric;
  std::optional<double> floor;
  std::optional<uint64_t> new_tokens;
  std::optional<int> threads, context;
  // With both.
  std::vector<uint64_t> batches, lengths;
  std::optional<uint64_t> inferences;
  std::optional<uint32_t> runs;
  std::optional<double> longest, shortest;
  std::string shard;
  std::string reference;
  std::vector<std::string> merge;
  std::string format = "table";
  std::string save, html;
  bool no_ledger = false;
  bool quiet = false;
};

std::string TaskNames() {
  std::string names;
  for (const BenchTask& task : BenchTasks())
    names += (names.empty() ? "" : ", ") + std::string(task.name);
  return names;
}

void DeclareWhat(CLI::App& app, BenchFlags& flags) {
  app.add_option("file", flags.file,
                 "tasks, models and data (TOML), instead of the flags");
  app.add_option("--task", flags.task, TaskNames());
  app.add_option("--model", flags.models,
                 "a folder that `modicum fit` wrote, a GGUF file, or a "
                 "pattern; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--data", flags.data, "a file, or catalog:NAME")
      ->allow_extra_args(false);
  app.add_option("--data-format", flags.data_format,
                 "jsonl, csv, tsv, fasttext or labelled; default: by look");
  app.add_option("--text", flags.text,
                 "column or key of the text (of words: tokens)");
  app.add_option("--label", flags.label,
                 "of the label (of words: tags); \"\": there is none");
  app.add_option("--metric", flags.metric,
                 "of the quality, by the task: accuracy, macro-f1, f1:CLASS, "
                 "log-loss; f1, top-5, bits, exact-match");
  app.add_option("--floor", flags.floor,
                 "quality from which joules per correct answer are shown");
  app.add_option("--new-tokens", flags.new_tokens,
                 "of a generated text, at most [default: 10]");
  app.add_option("--threads", flags.threads, "of a network [default: all]")
      ->check(CLI::Range(0, 4096));
  app.add_option("--context", flags.context,
                 "tokens of a network [default: what the task needs]")
      ->check(CLI::Range(0, 1 << 20));
}

void DeclareHow(CLI::App& app, BenchFlags& flags) {
  app.add_option("--inferences", flags.inferences, "a run [default: 1000]");
  app.add_option("--runs", flags.runs,
                 "exactly [default: 5 to 10, until known to 5 %]");
  app.add_option("--batch", flags.batches, "items a call: 1,8,32")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--lengths", flags.lengths,
                 "words of a text that are read: 20,100; 0: all")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--longest", flags.longest,
                 "seconds that a row may take [default: 600]");
  app.add_option("--shortest", flags.shortest,
                 "seconds that a run takes at least [default: 1]");
  app.add_option("--shard", flags.shard, "only the rows of part i/N");
  app.add_option("--reference", flags.reference,
                 "an earlier result: give stars among its rows");
  app.add_option("--merge", flags.merge,
                 "measure nothing: put results of shards together");
  app.add_option("--format", flags.format, "table, json, csv or md")
      ->check(CLI::IsMember({"table", "json", "csv", "md"}));
  app.add_option("--save", flags.save, "also write the result as JSON");
  app.add_option("--html", flags.html, "also write a page to look at");
  app.add_flag("--no-ledger", flags.no_ledger, "record nothing");
  app.add_flag("-q,--quiet", flags.quiet, "no progress");
}

Result<TaskSettings> SettingsOf(const BenchFlags& flags) {
  TaskSettings settings;
  MODICUM_TRY(settings.task, FindBenchTask(flags.task));
  settings.models = flags.models;
  settings.data = flags.data;
  settings.format = flags.data_format;
  if (flags.text) settings.text = *flags.text;
  settings.label = flags.label;
  if (flags.metric) settings.metric = *flags.metric;
  settings.floor = flags.floor;
  if (flags.new_tokens) settings.new_tokens = *flags.new_tokens;
  if (flags.threads) settings.threads = *flags.threads;
  if (flags.context) settings.context = *flags.context;
  return settings;
}

Result<BenchConfig> ConfigOf(const BenchFlags& flags) {
  BenchConfig config;
  if (!flags.file.empty()) {
    MODICUM_TRY(config, LoadBenchConfig(flags.file));
  } else {
    config.name = flags.task;
    MODICUM_TRY(TaskSettings settings, SettingsOf(flags));
    config.tasks.push_back(std::move(settings));
  }
  BenchProtocol& protocol = config.protocol;
  if (flags.inferences) protocol.inferences = *flags.inferences;
  if (flags.runs) {
    protocol.runs = *flags.runs;
    protocol.exact_runs = true;
  }
  if (flags.longest) protocol.longest = Seconds(*flags.longest);
  if (flags.shortest) protocol.shortest = Seconds(*flags.shortest);
  for (TaskSettings& settings : config.tasks) {
    if (!flags.batches.empty()) settings.batches = flags.batches;
    if (!flags.lengths.empty()) settings.lengths = flags.lengths;
  }
  MODICUM_RETURN_IF_ERROR(CheckBenchConfig(config));
  return config;
}

// What to measure comes from a file or from flags, not from both.
std::optional<Error> UsageFault(const BenchFlags& flags) {
  const bool by_flags =
      !flags.task.empty() || !flags.models.empty() || !flags.data.empty();
  const auto fault = [](std::string message, std::string hint) {
    return Error{ErrorCode::kInvalidInput, std::move(message), std::move(hint)};
  };
  if (!flags.merge.empty() && (by_flags || !flags.file.empty()))
    return fault("--merge measures nothing", "name only results to merge");
  if (!flags.merge.empty()) return std::nullopt;
  if (!flags.file.empty() && by_flags)
    return fault("a bench file and --task, --model or --data",
                 "name a file, or what to measure");
  if (!flags.file.empty()) return std::nullopt;
  if (flags.task.empty() || flags.models.empty() || flags.data.empty())
    return fault("nothing to measure",
                 "name a bench file, or --task, --model and --data");
  return std::nullopt;
}

Result<BenchResult> ReadBench(const std::string& path) {
  MODICUM_TRY(const std::string text, ReadFile(path));
  auto result = ParseBenchResult(text);
  if (!result)
    return Fail(result.error().code, path + ": " + result.error().message,
                result.error().hint);
  return result;
}

Result<std::optional<StarReference>> ReferenceOf(const BenchFlags& flags) {
  if (flags.reference.empty()) return std::optional<StarReference>();
  MODICUM_TRY(BenchResult result, ReadBench(flags.reference));
  return std::optional(StarReference{
      std::move(result.rows),
      "reference " +
          std::filesystem::path(flags.reference).filename().string()});
}

std::string Formatted(const BenchResult& result, const std::string& format) {
  if (format == "json") return FormatBenchJson(result);
  if (format == "csv") return FormatBenchCsv(result);
  if (format == "md") return FormatBenchMarkdown(result);
  return FormatBench(result);
}

Status Deliver(const BenchFlags& flags, const BenchResult& result) {
  std::fputs(Formatted(result, flags.format).c_str(), stdout);
  if (!flags.save.empty())
    MODICUM_RETURN_IF_ERROR(
        WriteFileAtomically(flags.save, FormatBenchJson(result)));
  if (!flags.html.empty())
    MODICUM_RETURN_IF_ERROR(
        WriteFileAtomically(flags.html, FormatBenchHtml(result)));
  return {};
}

bool AnyMeasured(const BenchResult& result) {
  return std::any_of(
      result.rows.begin(), result.rows.end(),
      [](const BenchRow& row) { return row.joules_per_1000.has_value(); });
}

int ExitCodeOf(const BenchResult& result) {
  if (result.interrupted) return kExitInterrupted;
  return AnyMeasured(result) ? kExitOk : kExitFailed;
}

// Measures inside of a window of its own and keeps the run in the ledger,
// whatever comes of it.
Result<BenchResult> RecordedBench(const Context& context,
                                  const BenchFlags& flags,
                                  const BenchConfig& config,
                                  const Instruments& instruments,
                                  Ledger* ledger, const Shard& shard,
                                  const StarReference* reference) {
  Run run = StartRun("bench", config.name, context.settings.project,
                     instruments.host, context.clock.WallNow());
  if (ledger != nullptr) MODICUM_RETURN_IF_ERROR(ledger->Put(run));

  std::optional<Progress> progress;  // cleared from the terminal at the end
  uint64_t steps = 0;
  BenchParts parts{ledger,
                   *instruments.meter,
                   instruments.place,
                   instruments.host,
                   context.clock,
                   context.stop,
                   context.settings.data_dir,
                   std::string(Version()),
                   run.id,
                   shard,
                   reference,
                   {}};
  if (!flags.quiet)
    parts.progress = [&](uint64_t done, uint64_t total, std::string_view what) {
      if (total != steps)
        progress.emplace(stderr, "bench", total, context.clock);
      steps = total;
      progress->Update(done, what);
    };
  const WindowId window = instruments.meter->Begin("bench run");
  auto result = RunBench(config, parts);
  MODICUM_TRY(const WindowReading reading, instruments.meter->End(window));
  if (ledger == nullptr) return result;

  run.ended = context.clock.WallNow();
  run.bill = instruments.BillOf(reading);
  run.exit_code = result ? ExitCodeOf(*result) : kExitFailed;
  run.status = run.exit_code == kExitOk            ? RunStatus::kOk
               : run.exit_code == kExitInterrupted ? RunStatus::kInterrupted
                                                   : RunStatus::kFailed;
  MODICUM_RETURN_IF_ERROR(ledger->Put(run));
  return result;
}

Result<int> Measure(const Context& context, const BenchFlags& flags,
                    const Shard& shard, const StarReference* reference) {
  MODICUM_TRY(const BenchConfig config, ConfigOf(flags));
  MODICUM_TRY(
      const Instruments instruments,
      OpenInstruments(context, PlaceQueryOf(context.settings, config.place)));
  std::unique_ptr<Ledger> ledger;
  if (!flags.no_ledger) {
    MODICUM_TRY(ledger, Ledger::Open(context.settings.ledger));
  }
  MODICUM_TRY(const BenchResult result,
              RecordedBench(context, flags, config, instruments, ledger.get(),
                            shard, reference));
  MODICUM_RETURN_IF_ERROR(Deliver(flags, result));
  return ExitCodeOf(result);
}

Result<int> Merge(const BenchFlags& flags, const StarReference* reference) {
  std::vector<NamedBench> results;
  for (const std::string& path : flags.merge) {
    MODICUM_TRY(BenchResult result, ReadBench(path));
    results.emplace_back(path, std::move(result));
  }
  MODICUM_TRY(BenchResult merged, MergeBenches(results));
  if (reference != nullptr) RateRows(merged, reference);
  MODICUM_RETURN_IF_ERROR(Deliver(flags, merged));
  return kExitOk;
}

}  // namespace

Result<int> CmdBench(Context& context, const std::vector<std::string>& args) {
  CLI::App app(
      "Measures models on tasks: energy per 1,000 inferences, quality, speed.\n"
      "Warm-up, loading and idle stand apart; stars only among equals.\n\n"
      "  modicum bench examples/bench/bench.toml --html bench.html\n"
      "  modicum bench --task text-classification --model spam.modicum "
      "--data mails.jsonl",
      "modicum bench");
  BenchFlags flags;
  DeclareWhat(app, flags);
  DeclareHow(app, flags);
  if (const auto exit = ParseArgs(app, args)) return *exit;
  if (const auto fault = UsageFault(flags)) return UsageError(*fault);
  const auto shard =
      flags.shard.empty() ? Result<Shard>(Shard{}) : ParseShard(flags.shard);
  if (!shard) return UsageError(shard.error());
  MODICUM_TRY(const auto reference, ReferenceOf(flags));
  const StarReference* const among = reference ? &*reference : nullptr;
  return flags.merge.empty() ? Measure(context, flags, *shard, among)
                             : Merge(flags, among);
}

}  // namespace modicum
