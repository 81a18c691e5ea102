// SPDX-License-Identifier: Apache-2.0
// `modicum report [RECEIPT...]`: what was found, or what was metered, as a
// text, a page, a table or a paper's paragraph.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <optional>

#include "base/file.h"
#include "base/version.h"
#include "cli/command.h"
#include "cli/parse.h"
#include "cli/print_error.h"
#include "cli/read_receipts.h"
#include "cli/run_selection.h"
#include "record/bench_result.h"
#include "report/bench_html.h"
#include "report/bench_report.h"
#include "report/fit_report.h"
#include "report/html_report.h"
#include "report/ledger_html.h"
#include "report/ledger_report.h"
#include "report/paper.h"

namespace modicum {
namespace {

constexpr char kAbout[] =
    "Shows a fit's receipt or a benchmark, or without one the ledger's "
    "runs.\n\n"
    "  modicum report spam.receipt.json --html -o spam.html\n"
    "  modicum report --paper --project thesis spam.receipt.json\n";

struct ReportFlags {
  std::vector<std::string> receipts;
  bool html = false, md = false, csv = false, json = false, paper = false;
  std::string output;
  RunSelection selection;

  int formats() const { return html + md + csv + json + paper; }
};

void AddFlags(CLI::App& app, ReportFlags& flags) {
  app.add_option("receipt", flags.receipts,
                 "Receipts, as `modicum fit` writes, or what `modicum bench "
                 "--save` wrote");
  app.add_flag("--html", flags.html, "One page that stands alone");
  app.add_flag("--md", flags.md, "Markdown");
  app.add_flag("--csv", flags.csv, "CSV, one row a model or run");
  app.add_flag("--json", flags.json, "JSON");
  app.add_flag("--paper", flags.paper,
               "A paragraph, LaTeX tables and BibTeX: all runs of the ledger, "
               "failed ones too, and the receipts' models");
  app.add_option("-o,--output", flags.output,
                 "The file to write, all or nothing");
  AddRunSelection(app, flags.selection);
}

Error Usage(std::string message, std::string hint) {
  return {ErrorCode::kInvalidInput, std::move(message), std::move(hint)};
}

std::string FormatReceiptAs(const ReportFlags& flags, const Receipt& receipt) {
  if (flags.html) return FormatFitHtml(receipt);
  if (flags.md) return FormatFitMarkdown(receipt.result);
  if (flags.csv) return FormatFitCsv(receipt.result);
  if (flags.json) return FormatFitJson(receipt.result);
  return FormatFit(receipt.result);
}

std::string FormatBenchAs(const ReportFlags& flags, const BenchResult& result) {
  if (flags.html) return FormatBenchHtml(result);
  if (flags.md) return FormatBenchMarkdown(result);
  if (flags.csv) return FormatBenchCsv(result);
  if (flags.json) return FormatBenchJson(result);
  return FormatBench(result);
}

// The report of the only file that is named, where that is a benchmark's;
// absent where it is none.
Result<std::optional<std::string>> BenchText(const ReportFlags& flags) {
  if (flags.receipts.size() != 1 || flags.paper)
    return std::optional<std::string>();
  const std::string& path = flags.receipts[0];
  MODICUM_TRY(const std::string text, ReadFile(path));
  if (!IsBenchResult(text)) return std::optional<std::string>();
  const auto result = ParseBenchResult(text);
  if (!result)
    return Fail(result.error().code, path + ": " + result.error().message,
                result.error().hint);
  return std::optional(FormatBenchAs(flags, *result));
}

std::string FormatRunsAs(const ReportFlags& flags, std::span<const Run> runs,
                         const std::string& selection) {
  if (flags.html) return FormatRunsHtml(runs, selection);
  if (flags.md)
    return FormatTotalsMarkdown(runs) + "\n" + FormatRunsMarkdown(runs);
  if (flags.csv) return FormatRunsCsv(runs);
  if (flags.json) return FormatRunsJson(runs);
  return FormatTotalsText(runs) + "\n" + FormatRunsTable(runs);
}

Result<std::string> LedgerText(const Context& context, const ReportFlags& flags,
                               const RunFilter& filter,
                               std::span<const Receipt> receipts) {
  const std::string& path = context.settings.ledger;
  MODICUM_TRY(const auto runs, SelectedRuns(path, filter));
  const std::string selection = SelectionText(flags.selection, filter);
  if (runs.empty() && receipts.empty())
    return Fail(ErrorCode::kNotFound,
                selection.empty()
                    ? "ledger " + path + " has no runs yet"
                    : "no run in ledger " + path + " matches: " + selection,
                "name a receipt, or meter something: `modicum run -- COMMAND`");
  if (flags.paper)
    return FormatPaper({runs, receipts, selection, std::string(Version())});
  return FormatRunsAs(flags, runs, selection);
}

// A text to a file, or to stdout when no file is named.
Status Deliver(const std::string& text, const std::string& file) {
  if (!file.empty()) return WriteFileAtomically(file, text);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return {};
}

}  // namespace

Result<int> CmdReport(Context& context, const std::vector<std::string>& args) {
  ReportFlags flags;
  CLI::App app{kAbout, "modicum report"};
  AddFlags(app, flags);
  if (const auto code = ParseArgs(app, args)) return *code;
  if (flags.formats() > 1)
    return UsageError(Usage("more than one format is asked for",
                            "choose one of --html, --md, --csv, --json and "
                            "--paper"));
  if (flags.receipts.size() > 1 && !flags.paper)
    return UsageError(Usage("more than one receipt",
                            "`modicum compare` puts receipts in one table, "
                            "`modicum board` ranks them on a page"));
  const auto filter = FilterOf(flags.selection, context.settings);
  if (!filter) return UsageError(filter.error());
  MODICUM_TRY(const auto bench, BenchText(flags));
  if (bench) {
    MODICUM_RETURN_IF_ERROR(Deliver(*bench, flags.output));
    return kExitOk;
  }
  MODICUM_TRY(const auto receipts, ReadReceipts(flags.receipts));
  std::string text;
  if (receipts.empty() || flags.paper) {
    MODICUM_TRY(text, LedgerText(context, flags, *filter, receipts));
  } else {
    text = FormatReceiptAs(flags, receipts[0]);
  }
  MODICUM_RETURN_IF_ERROR(Deliver(text, flags.output));
  return kExitOk;
}

}  // namespace modicum
