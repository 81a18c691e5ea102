// SPDX-License-Identifier: Apache-2.0
// `modicum ledger list|show|export|merge`: what was recorded.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <array>
#include <cstdio>

#include "base/file.h"
#include "cli/command.h"
#include "cli/equals.h"
#include "cli/ledger_charges.h"
#include "cli/parse.h"
#include "cli/print_error.h"
#include "cli/run_options.h"
#include "cli/run_selection.h"
#include "cli/verbs.h"
#include "record/ledger.h"
#include "report/ledger_report.h"

namespace modicum {
namespace {

using Words = std::vector<std::string>;

constexpr char kHelp[] =
    "Shows what was recorded: every run, fit and predict with its bill.\n\n"
    "  modicum ledger list --since 2026-01-01   one line per run, newest "
    "first\n"
    "  modicum ledger show 0b3c                 one run, its bill and factors\n"
    "\n"
    "Usage: modicum ledger <action> [options]\n\n"
    "  list                  Lists runs\n"
    "  show ID               Shows one run, by the first characters of its id\n"
    "  export [-o FILE]      Writes runs as CSV, JSON, Markdown or in\n"
    "                        CodeCarbon's columns, or sums --by team --month\n"
    "  merge FILE            Takes over another ledger's runs\n"
    "\n`modicum ledger <action> --help` shows an action's options.\n";

// What list and export are asked for.
struct Selection {
  RunSelection runs;
  int64_t limit = 0;
  std::string format;
};

void AddSelection(CLI::App& app, Selection& selection) {
  AddRunSelection(app, selection.runs);
  app.add_option("--limit", selection.limit, "At most so many, the newest")
      ->check(CLI::Range(int64_t{0}, int64_t{1'000'000'000}));
  app.add_option("--format", selection.format,
                 "table, csv, json, md or codecarbon")
      ->capture_default_str();
}

Result<RunFilter> FilterOf(const Selection& selection,
                           const Settings& settings) {
  MODICUM_TRY(RunFilter filter, FilterOf(selection.runs, settings));
  filter.limit = static_cast<size_t>(selection.limit);
  return filter;
}

// Looking at a ledger does not make one.
Result<std::unique_ptr<Ledger>> OpenExisting(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0)
    return Fail(ErrorCode::kNotFound, "there is no ledger " + path + " yet",
                "`modicum run -- COMMAND` meters a command and records it");
  return Ledger::Open(path);
}

bool Restricts(const RunFilter& filter) {
  return !filter.kind.empty() || !filter.project.empty() ||
         !filter.tags.empty() || filter.since;
}

void SayNothingFound(const std::string& path, const RunFilter& filter) {
  const std::string text =
      Restricts(filter)
          ? "modicum: no run in ledger " + path + " matches\n" +
                "  hint: `modicum ledger list` shows them all\n"
          : "modicum: ledger " + path + " has no runs yet\n" +
                "  hint: `modicum run -- COMMAND` meters a command and records "
                "it\n";
  std::fputs(text.c_str(), stderr);
}

struct FormatRow {
  std::string_view name;
  std::string (*runs)(std::span<const Run>);
};
constexpr std::array<FormatRow, 5> kFormats{{
    {"table", &FormatRunsTable},
    {"csv", &FormatRunsCsv},
    {"json", &FormatRunsJson},
    {"md", &FormatRunsMarkdown},
    {"codecarbon", &FormatRunsCodeCarbon},
}};

Result<FormatRow> FindFormat(const std::string& name) {
  std::string known;
  for (const FormatRow& row : kFormats) {
    if (row.name == name) return row;
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  return Fail(ErrorCode::kInvalidInput, "unknown format '" + name + "'",
              "the formats are " + known);
}

// A text to a file, or to stdout when no file is named.
Status Deliver(const std::string& text, const std::string& file) {
  if (!file.empty()) return WriteFileAtomically(file, text);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return {};
}

Result<int> List(Context& context, const Words& args) {
  Selection selection;
  selection.format = "table";
  CLI::App app{
      "Lists runs, the newest first; --project restricts to one project.\n\n"
      "  modicum ledger list --kind fit --limit 5\n"
      "  modicum ledger list --tag team=search --format csv\n",
      "modicum ledger list"};
  AddSelection(app, selection);
  if (const auto code = ParseArgs(app, args)) return *code;
  const auto format = FindFormat(selection.format);
  if (!format) return UsageError(format.error());
  const auto filter = FilterOf(selection, context.settings);
  if (!filter) return UsageError(filter.error());
  const std::string& path = context.settings.ledger;
  MODICUM_TRY(const auto runs, SelectedRuns(path, *filter));
  if (runs.empty()) SayNothingFound(path, *filter);
  MODICUM_RETURN_IF_ERROR(Deliver(format->runs(runs), ""));
  return kExitOk;
}

Result<RunRecord> RecordOf(const Ledger& ledger, Run run) {
  RunRecord record;
  MODICUM_TRY(record.measurements, ledger.Measurements(run.id));
  MODICUM_TRY(record.trials, ledger.Trials(run.id));
  record.run = std::move(run);
  return record;
}

Result<int> Show(Context& context, const Words& args) {
  std::string id;
  std::string format = "table";
  CLI::App app{
      "Shows one run: its machine, its bill with every factor, its evidence."
      "\n\n  modicum ledger show 0b3c\n"
      "  modicum ledger show 0b3c --format json\n",
      "modicum ledger show"};
  app.add_option("id", id, "At least 4 characters of the run's id")->required();
  app.add_option("--format", format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  if (const auto code = ParseArgs(app, args)) return *code;
  MODICUM_TRY(const auto ledger, OpenExisting(context.settings.ledger));
  MODICUM_TRY(Run run, ledger->FindRun(id));
  MODICUM_TRY(const RunRecord record, RecordOf(*ledger, std::move(run)));
  const std::string equals =
      record.run.bill ? EqualsText(*record.run.bill) : "";
  MODICUM_RETURN_IF_ERROR(Deliver(format == "json"
                                      ? FormatRecordJson(record) + "\n"
                                      : FormatRecordText(record) + equals,
                                  ""));
  return kExitOk;
}

// JSON keeps everything; the other formats hold one row per run.
Result<std::string> ExportJson(const std::string& path, std::vector<Run> runs) {
  std::vector<RunRecord> records;
  if (!runs.empty()) {
    MODICUM_TRY(const auto ledger, OpenExisting(path));
    for (Run& run : runs) {
      MODICUM_TRY(RunRecord record, RecordOf(*ledger, std::move(run)));
      records.push_back(std::move(record));
    }
  }
  return FormatRecordsJson(records);
}

Result<int> Export(Context& context, const Words& args) {
  Selection selection;
  selection.format = "csv";
  std::string file;
  CLI::App app{
      "Writes runs to a file or to stdout. JSON is lossless, with every\n"
      "measurement and trial; codecarbon has emissions.csv's columns. With\n"
      "--by, sums of them.\n\n"
      "  modicum ledger export -o runs.csv\n"
      "  modicum ledger export --format codecarbon -o emissions.csv\n"
      "  modicum ledger export --by team --month --cap 50kWh --format table\n",
      "modicum ledger export"};
  AddSelection(app, selection);
  ChargeOptions charges;
  AddChargeOptions(app, charges);
  app.add_option("-o,--output", file, "The file to write, all or nothing");
  if (const auto code = ParseArgs(app, args)) return *code;
  const auto format = FindFormat(selection.format);
  if (!format) return UsageError(format.error());
  const auto filter = FilterOf(selection, context.settings);
  if (!filter) return UsageError(filter.error());
  const auto view = ChargeViewOf(charges);
  if (!view) return UsageError(view.error());
  if (!view->by.empty() && format->name == "codecarbon")
    return UsageError({ErrorCode::kInvalidInput,
                       "--format codecarbon has a row for each run, no sums",
                       "with --by: table, csv, json or md"});
  const std::string& path = context.settings.ledger;
  MODICUM_TRY(auto runs, SelectedRuns(path, *filter));
  if (runs.empty()) SayNothingFound(path, *filter);
  if (!view->by.empty()) {
    if (const size_t nested = TotalsOf(runs).nested; nested > 0)
      fmt::print(stderr,
                 "modicum: {} run{} ran inside of others and {} counted "
                 "twice\n  hint: --kind leaves one sort out\n",
                 nested, nested == 1 ? "" : "s", nested == 1 ? "is" : "are");
    const auto sums = ChargesOf(runs, view->by, PeriodOf(charges));
    MODICUM_RETURN_IF_ERROR(
        Deliver(FormatCharges(sums, *view, format->name), file));
    if (!runs.empty()) NoteUnknownNames(runs, sums, *view);
    return WarnOfCaps(sums, *view) ? kExitOverBudget : kExitOk;
  }
  std::string text;
  if (format->name == "json") {
    MODICUM_TRY(text, ExportJson(path, std::move(runs)));
  } else {
    text = format->runs(runs);
  }
  MODICUM_RETURN_IF_ERROR(Deliver(text, file));
  return kExitOk;
}

Result<int> Merge(Context& context, const Words& args) {
  std::string other;
  CLI::App app{
      "Takes over what another ledger has and this one has not. Merging\n"
      "twice is merging once; the other ledger is left as it is.\n\n"
      "  modicum ledger merge node7.db\n"
      "  modicum ledger merge node7.db --ledger fleet.db\n",
      "modicum ledger merge"};
  app.add_option("file", other, "The other ledger")->required();
  if (const auto code = ParseArgs(app, args)) return *code;
  MODICUM_TRY(const auto ledger, Ledger::Open(context.settings.ledger));
  MODICUM_TRY(const MergeCount count, ledger->MergeFrom(other));
  std::printf("%lld runs, %lld measurements and %lld trials taken over\n",
              static_cast<long long>(count.runs),
              static_cast<long long>(count.measurements),
              static_cast<long long>(count.trials));
  return kExitOk;
}

// Their lines of help are kHelp's.
constexpr std::array<Command, 4> kActions{{{"list", "", &List},
                                           {"show", "", &Show},
                                           {"export", "", &Export},
                                           {"merge", "", &Merge}}};

}  // namespace

Result<int> CmdLedger(Context& context, const std::vector<std::string>& args) {
  return RunVerb({"ledger", "action", kActions, kHelp}, context, args);
}

}  // namespace modicum
