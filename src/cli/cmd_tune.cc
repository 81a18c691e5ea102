// SPDX-License-Identifier: Apache-2.0
// `modicum tune NETWORK`: the run settings that need the fewest joules, kept
// for this network and machine.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "base/file.h"
#include "base/format.h"
#include "base/terminal.h"
#include "base/usable_cpus.h"
#include "cli/command.h"
#include "cli/instruments.h"
#include "cli/parse.h"
#include "hardware/machine.h"
#include "model/gguf/gguf_file.h"
#include "model/neural_settings.h"
#include "place/place_settings.h"
#include "record/ledger.h"
#include "record/start_run.h"
#include "report/tune_report.h"
#include "tune/cpus.h"
#include "tune/tune.h"

namespace modicum {
namespace {

struct TuneFlags {
  std::string network;
  std::string workload;
  std::string format = "table";
  std::string save;
  bool no_keep = false;
  bool quiet = false;
};

std::optional<int> ParseFlags(const std::vector<std::string>& args,
                              TuneFlags& flags) {
  CLI::App app(
      "Finds the run settings with which a network needs the fewest joules\n"
      "for a workload, and keeps them for this machine.\n\n"
      "  modicum tune model.gguf\n"
      "  modicum tune model.gguf --workload chat.toml --format json",
      "modicum tune");
  app.add_option("network", flags.network, "a GGUF file")->required();
  app.add_option("--workload", flags.workload,
                 "what it is asked (TOML, docs/tune.md) [default: 64 tokens "
                 "after a prompt of 256]");
  app.add_option("--format", flags.format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  app.add_option("--save", flags.save,
                 "also write the result as JSON to this file");
  app.add_flag("--no-keep", flags.no_keep,
               "print what was found, but use it nowhere");
  app.add_flag("-q,--quiet", flags.quiet, "no progress");
  return ParseArgs(app, args);
}

Result<TuneResult> RecordedTune(const Context& context, const TuneFlags& flags,
                                const TuneWorkload& workload,
                                const Instruments& instruments,
                                NeuralEngine& engine, Ledger& ledger) {
  Run run = StartRun("tune", flags.network, context.settings.project,
                     instruments.host, context.clock.WallNow());
  MODICUM_RETURN_IF_ERROR(ledger.Put(run));
  std::optional<Progress> progress;
  if (!flags.quiet)
    progress.emplace(stderr, "tune", AxisCount() * 3, context.clock);
  uint64_t done = 0;
  TuneParts parts{workload,
                  CpusOf(context.fs, UsableCpus()),
                  *instruments.meter,
                  context.clock,
                  context.stop,
                  [&](const NeuralSettings& settings) {
                    CallOptions call;
                    call.stop = context.stop;
                    NullSink sink;
                    return engine.Open(flags.network, settings, {}, call, sink);
                  },
                  [&](std::string_view what) {
                    if (progress) progress->Update(done++, what);
                  }};
  const WindowId window = instruments.meter->Begin("tune run");
  auto result = Tune(parts);
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
  if (!result) return result;
  result->network = std::filesystem::path(flags.network).filename().string();
  result->host = instruments.host;
  result->missing =
      NotCounted(instruments.host, instruments.meter->components());
  return result;
}

Status Keep(const Context& context, const GgufFile& file,
            const TuneResult& result) {
  MODICUM_TRY(const std::string identity, NetworkIdentity(file));
  MODICUM_TRY(const NeuralSettings settings, SettingsOf(result.settings));
  return KeepTuned(context.settings.data_dir, identity,
                   {settings, HostIdentity(result.host), result.workload,
                    FormatUtc(context.clock.WallNow())});
}

// Of the limit that the user has set; else the defaults' own is one.
Status CheckLatency(const TuneWorkload& workload, const TuneResult& result) {
  const bool any_kept = std::ranges::any_of(result.trials, &TuneTrial::kept);
  if (!workload.p95 || any_kept || result.after.p95 <= *workload.p95) return {};
  return Fail(
      ErrorCode::kBelowQuality,
      fmt::format("no setting answers within {} (p95): the defaults take {}, "
                  "and nothing cheaper is fast enough; nothing is kept",
                  FormatDuration(*workload.p95),
                  FormatDuration(result.after.p95)),
      "raise p95 in the workload, or take a smaller or quantized network");
}

}  // namespace

Result<int> CmdTune(Context& context, const std::vector<std::string>& args) {
  TuneFlags flags;
  if (const auto code = ParseFlags(args, flags)) return *code;
  TuneWorkload workload;
  if (!flags.workload.empty()) {
    MODICUM_TRY(workload, LoadWorkload(flags.workload));
  }
  MODICUM_TRY(const GgufFile file,
              ReadGguf(flags.network, GgufCheck::kStructure));
  MODICUM_TRY(NeuralEngine * engine, FindNeuralEngine());
  MODICUM_TRY(const Instruments instruments,
              OpenInstruments(context, PlaceQueryOf(context.settings)));
  MODICUM_TRY(const auto ledger, Ledger::Open(context.settings.ledger));
  MODICUM_TRY(
      const TuneResult result,
      RecordedTune(context, flags, workload, instruments, *engine, *ledger));
  const std::string text =
      flags.format == "json" ? FormatTuneJson(result) : FormatTune(result);
  std::fputs(text.c_str(), stdout);
  if (!flags.save.empty())
    MODICUM_RETURN_IF_ERROR(
        WriteFileAtomically(flags.save, FormatTuneJson(result)));
  MODICUM_RETURN_IF_ERROR(CheckLatency(workload, result));
  if (!flags.no_keep) MODICUM_RETURN_IF_ERROR(Keep(context, file, result));
  return kExitOk;
}

}  // namespace modicum
