// SPDX-License-Identifier: Apache-2.0
// `modicum train SETTINGS`: an encoder with a head for tags, answers or hidden
// words is trained, written and judged, with a bill of each phase at the end.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/terminal.h"
#include "base/usable_cpus.h"
#include "cli/command.h"
#include "cli/neural_run.h"
#include "cli/parse.h"
#include "model/checkpoint.h"
#include "model/gguf/head_file.h"
#include "record/json.h"
#include "report/train_report.h"
#include "train/train_head.h"

namespace modicum {
namespace {

struct TrainFlags : NeuralFlags {
  std::string settings_file;
  std::string output;
  int threads = 0;
  std::string format = "table";
};

std::optional<int> ParseFlags(const std::vector<std::string>& args,
                              TrainFlags& flags) {
  CLI::App app(
      "Trains an encoder that tags words, finds answers or hidden words, and "
      "bills it.\n\n"
      "  modicum train tagger.toml\n"
      "  modicum train answers.toml -o models/answers.gguf",
      "modicum train");
  app.add_option("settings", flags.settings_file,
                 "the settings file (TOML, docs/train.md)")
      ->required();
  app.add_option("-o,--output", flags.output,
                 "where to write the network, its head beside it [default: "
                 "NAME.gguf]")
      ->type_name("FILE");
  app.add_option("-t,--threads", flags.threads,
                 "default: one for each CPU it may use")
      ->check(CLI::Range(1, 512))
      ->type_name("N");
  app.add_option("--format", flags.format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  app.add_flag_callback(
      "--trust", [] { GuardNetworks({}); },
      "load a base at once, not first in a child process without network");
  app.add_flag("--no-ledger", flags.no_ledger, "record nothing");
  app.add_flag("-q,--quiet", flags.quiet, "no progress and no bill");
  return ParseArgs(app, args);
}

Result<TrainResult> Train(const Context& context, const TrainFlags& flags,
                          const HeadTask& task, const HeadData& data,
                          NeuralEngine& engine, NeuralRun& run) {
  Checkpoint checkpoint(flags.output + ".checkpoint");
  std::optional<Progress> progress;  // cleared from the terminal at the end
  TrainParts parts{engine,       flags.output,  checkpoint,
                   context.stop, flags.threads, run.phases()};
  parts.progress = [&](uint64_t done, uint64_t all, std::string_view what) {
    if (flags.quiet) return;
    if (!progress) progress.emplace(stderr, "train", all, context.clock);
    progress->Update(done, what);
  };
  MODICUM_TRY(TrainResult result, TrainHead(task, data, parts));
  result.head = HeadPathOf(flags.output);
  return result;
}

void Print(const TrainFlags& flags, const TrainResult& result,
           const NeuralRun::Outcome& outcome) {
  if (flags.format == "table") {
    std::fputs(FormatTrain(result).c_str(), stdout);
    return;
  }
  nlohmann::json json = TrainJson(result);
  json["phases"] = PhasesJson(outcome.phases);
  json["run"] = ToJson(outcome.run, JsonStyle::kReadable);
  std::fputs(ReadableText(json).c_str(), stdout);
}

// Said before the training, not after it.
Status CheckOutput(const std::string& path) {
  if (IsHeadPath(path))
    return Fail(ErrorCode::kInvalidInput,
                path +
                    ": that is the name of a head, which goes beside its "
                    "network",
                "leave out .head");
  const auto file = AtomicFile::Create(path);
  if (file) return {};
  return Fail(file.error().code, file.error().message,
              "make its folder first, or name another place with -o");
}

}  // namespace

Result<int> CmdTrain(Context& context, const std::vector<std::string>& args) {
  TrainFlags flags;
  if (const auto code = ParseFlags(args, flags)) return *code;
  MODICUM_TRY(const HeadTask task, LoadHeadTask(flags.settings_file));
  if (flags.output.empty()) flags.output = task.name + ".gguf";
  if (flags.threads == 0) flags.threads = static_cast<int>(UsableCpus().size());
  flags.model = task.name;
  MODICUM_RETURN_IF_ERROR(CheckOutput(flags.output));
  MODICUM_TRY(const HeadData data, LoadHeadData(task));
  MODICUM_TRY(NeuralEngine* const engine, FindNeuralEngine());
  if (!task.encoder.base.empty())
    MODICUM_RETURN_IF_ERROR(engine->CheckEncoderBase(task.encoder.base));
  MODICUM_TRY(const auto run, NeuralRun::Start(context, "train", flags));
  run->Tag("head", std::string(HeadKindName(task.kind)));
  const auto result = Train(context, flags, task, data, *engine, *run);
  const Status status = result ? Status() : Status(Fail(result.error()));
  if (result)
    run->Tag(
        data.metric,
        fmt::format(
            "{:.4f}",
            (result->test ? *result->test : result->validation).network.mid));
  MODICUM_TRY(const NeuralRun::Outcome outcome, run->End(status));
  if (result) Print(flags, *result, outcome);
  run->Record(outcome);
  if (!status) return Fail(status.error());
  return kExitOk;
}

}  // namespace modicum
