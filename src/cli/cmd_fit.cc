// SPDX-License-Identifier: Apache-2.0
// modicum fit TASK: open ledger, probes and place, fit, record the run,
// print the result.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "base/file.h"
#include "base/terminal.h"
#include "base/version.h"
#include "cli/command.h"
#include "cli/instruments.h"
#include "cli/parse.h"
#include "fit/fit.h"
#include "fit/task.h"
#include "place/place_settings.h"
#include "record/ledger.h"
#include "record/receipt.h"
#include "record/signature.h"
#include "record/start_run.h"
#include "report/fit_report.h"
#include "report/html_report.h"

namespace modicum {
namespace {

struct FitFlags {
  std::string task;
  std::string output;
  std::string receipt;
  std::string html;
  std::string sign;
  std::string format = "table";
  std::string save;
  bool no_artifact = false;
  bool no_receipt = false;
  bool exhaustive = false;
  bool quiet = false;
};

Result<std::string> Formatted(const FitResult& result,
                              const std::string& format) {
  if (format == "json") return FormatFitJson(result);
  if (format == "csv") return FormatFitCsv(result);
  if (format == "md") return FormatFitMarkdown(result);
  return FormatFit(result);
}

// What a joule means here: the probes' components and the idle policy.
std::string MeteringText(const Settings& settings, const Meter& meter) {
  std::string text = settings.idle_policy;
  for (const std::string& component : meter.components())
    text += " " + component;
  return text;
}

// Runs the fit inside a metered window and keeps the run in the ledger,
// whatever comes of it.
Result<FitReport> RecordedFit(const Context& context, const FitFlags& flags,
                              const Task& task, const Instruments& instruments,
                              Ledger& ledger) {
  Run run = StartRun("fit", task.name, context.settings.project,
                     instruments.host, context.clock.WallNow());
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
                 MeteringText(context.settings, *instruments.meter),
                 run.id,
                 {}};
  if (flags.exhaustive) parts.search = SearchKind::kExhaustive;
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
  return result;
}

// "NAME.receipt.json" beside "NAME.modicum".
std::string Beside(const std::string& artifact, std::string_view suffix) {
  constexpr std::string_view kArtifact = ".modicum";
  std::string stem = artifact;
  if (stem.ends_with(kArtifact)) stem.resize(stem.size() - kArtifact.size());
  return stem + std::string(suffix);
}

// The artifact's files by their path from the receipt's folder; none where
// the artifact lies elsewhere.
Result<std::map<std::string, std::string>> FilesBeside(
    const std::string& artifact, const std::string& receipt) {
  namespace fs = std::filesystem;
  std::map<std::string, std::string> files;
  if (artifact.empty()) return files;
  const fs::path folder = fs::absolute(receipt).parent_path();
  const std::string inside =
      fs::absolute(artifact).lexically_relative(folder).string();
  if (inside.empty() || inside.starts_with("..")) return files;
  for (const auto& entry : fs::recursive_directory_iterator(artifact)) {
    if (!entry.is_regular_file()) continue;
    MODICUM_TRY(const Hash hash, Sha256OfFile(entry.path().string()));
    files[fs::absolute(entry.path()).lexically_relative(folder).string()] =
        ToHex(hash);
  }
  return files;
}

// Said before the search, not after it.
Status CheckCanWrite(const std::string& path) {
  const std::filesystem::path folder =
      std::filesystem::absolute(path).parent_path();
  std::string fault;
  if (!std::filesystem::is_directory(folder))
    fault = "there is no folder " + folder.string();
  else if (access(folder.c_str(), W_OK) != 0)
    fault = "no permission to write in " + folder.string();
  else if (std::filesystem::is_directory(path))
    fault = "it is a folder";
  if (fault.empty()) return {};
  return Fail(
      ErrorCode::kInvalidInput, "cannot write " + path + ": " + fault,
      "--receipt and --html name other places, --no-receipt writes neither");
}

Status CheckEvidencePaths(const FitFlags& flags) {
  if (flags.no_receipt) return {};
  MODICUM_RETURN_IF_ERROR(CheckCanWrite(flags.receipt));
  MODICUM_RETURN_IF_ERROR(CheckCanWrite(flags.html));
  if (flags.sign.empty()) return {};
  MODICUM_TRY(const Signature trial, Sign(Hash{}, flags.sign));
  static_cast<void>(trial);
  return {};
}

// What a fit leaves beside its artifact: the receipt and the page to look at.
Status WriteEvidence(const FitFlags& flags, FitReport report) {
  if (flags.no_receipt) return {};
  Receipt receipt;
  receipt.evidence = std::move(report.evidence);
  receipt.result = std::move(report.result);
  MODICUM_TRY(receipt.files,
              FilesBeside(receipt.result.artifact, flags.receipt));
  receipt.sha256 = ReceiptHash(receipt);
  if (!flags.sign.empty()) {
    MODICUM_TRY(receipt.signature, Sign(receipt.sha256, flags.sign));
  }
  MODICUM_RETURN_IF_ERROR(WriteReceipt(flags.receipt, receipt));
  return WriteFileAtomically(flags.html, FormatFitHtml(receipt));
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
  app.add_option("--receipt", flags.receipt,
                 "where to write the receipt [default: NAME.receipt.json]");
  app.add_option("--html", flags.html,
                 "where to write the page to look at [default: NAME.html]");
  app.add_option("--sign", flags.sign,
                 "sign the receipt with this key (modicum keygen)");
  app.add_flag("--no-receipt", flags.no_receipt, "write no receipt, no page");
  app.add_flag("--exhaustive", flags.exhaustive,
               "try every candidate with every chain of up to two passes");
  app.add_flag("-q,--quiet", flags.quiet, "no progress");
  if (const auto exit = ParseArgs(app, args)) return *exit;

  MODICUM_TRY(const Task task, LoadTask(flags.task));
  if (flags.output.empty()) flags.output = task.name + ".modicum";
  if (flags.receipt.empty())
    flags.receipt = Beside(flags.output, ".receipt.json");
  if (flags.html.empty()) flags.html = Beside(flags.output, ".html");
  MODICUM_RETURN_IF_ERROR(CheckEvidencePaths(flags));
  MODICUM_TRY(
      const Instruments instruments,
      OpenInstruments(context, PlaceQueryOf(context.settings, task.place)));
  MODICUM_TRY(const auto ledger, Ledger::Open(context.settings.ledger));
  MODICUM_TRY(FitReport report,
              RecordedFit(context, flags, task, instruments, *ledger));
  const FitResult result = report.result;
  MODICUM_TRY(const std::string text, Formatted(result, flags.format));
  std::fputs(text.c_str(), stdout);
  if (!flags.save.empty())
    MODICUM_RETURN_IF_ERROR(
        WriteFileAtomically(flags.save, FormatFitJson(result)));
  MODICUM_RETURN_IF_ERROR(WriteEvidence(flags, std::move(report)));
  return result.chosen.empty() ? kExitBelowQuality : kExitOk;
}

}  // namespace modicum
