// SPDX-License-Identifier: Apache-2.0
#include "cli/neural_run.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/format.h"
#include "base/terminal.h"
#include "cli/print_error.h"
#include "cli/tuned.h"
#include "model/gguf/gguf_file.h"
#include "place/place_settings.h"
#include "record/json.h"
#include "record/start_run.h"
#include "report/bill_report.h"

namespace modicum {
namespace {

std::string PhaseLine(const PhaseCost& cost) {
  std::string line = fmt::format("{:<10}", PhaseName(cost.phase));
  if (cost.tokens > 0) {
    const auto tokens = static_cast<double>(cost.tokens);
    line += fmt::format("{} token{} at {}; {} tokens/s",
                        FormatCount(cost.tokens), cost.tokens == 1 ? "" : "s",
                        FormatEstimate(cost.energy / tokens),
                        FormatNumber(tokens / cost.wall.value()));
  } else {
    line += FormatEstimate(cost.energy);
  }
  line += fmt::format("; {} wall, {} CPU", FormatDuration(cost.wall),
                      FormatDuration(cost.cpu));
  return line + (cost.contended ? "; contended\n" : "\n");
}

RunStatus StatusOf(const Status& status) {
  if (status) return RunStatus::kOk;
  return status.error().code == ErrorCode::kInterrupted
             ? RunStatus::kInterrupted
             : RunStatus::kFailed;
}

int ExitCodeOf(RunStatus status) {
  return status == RunStatus::kOk            ? kExitOk
         : status == RunStatus::kInterrupted ? kExitInterrupted
                                             : kExitFailed;
}

// It is no error: some networks read on, with a loss.
void WarnBeyondTraining(const NeuralInfo& info) {
  if (info.context_trained == 0 || info.context <= info.context_trained) return;
  fmt::print(stderr,
             "modicum: warning: a context of {} tokens, {} was trained with "
             "{}: beyond them it predicts ever worse\n",
             info.context, info.path, info.context_trained);
}

// A row per phase and domain: the evidence under the bill.
std::vector<Measurement> Measurements(const NeuralRun::Outcome& outcome) {
  std::vector<Measurement> rows;
  for (const PhaseCost& cost : outcome.phases)
    AppendMeasurements(
        outcome.run, cost,
        fmt::format("{}, {} tokens", PhaseName(cost.phase), cost.tokens),
        cost.phase, rows);
  return rows;
}

}  // namespace

void AddNeuralFlags(CLI::App& app, NeuralFlags& flags) {
  app.add_option("-m,--model", flags.model, "the network, a GGUF file")
      ->required()
      ->type_name("FILE");
  app.add_option("--lora", flags.settings.lora,
                 "with this adapter, times SCALE; may be repeated")
      ->allow_extra_args(false)
      ->type_name("FILE[:SCALE]");
  AddNeuralSettings(app, flags);
}

Status SetContext(uint64_t tokens, NeuralFlags& flags) {
  if (flags.settings.context > 0) return {};
  MODICUM_TRY(const GgufFile file,
              ReadGguf(flags.model, GgufCheck::kStructure));
  const uint64_t trained =
      file.Unsigned(file.ArchitectureKey("context_length")).value_or(tokens);
  flags.settings.context = static_cast<int>(std::min(tokens, trained));
  return {};
}

void AddNeuralSettings(CLI::App& app, NeuralFlags& flags) {
  NeuralSettings& settings = flags.settings;
  app.add_option("-c,--context", settings.context,
                 "tokens that it keeps; default: as trained")
      ->check(CLI::Range(1, 1 << 24))
      ->type_name("N");
  app.add_option("-t,--threads", settings.threads,
                 "default: one for each CPU it may use")
      ->check(CLI::Range(1, 512))
      ->type_name("N");
  app.add_option("--batch-threads", settings.batch_threads,
                 "of prefill; default: as --threads")
      ->check(CLI::Range(1, 512))
      ->type_name("N");
  app.add_option("--micro-batch", settings.micro_batch,
                 "tokens a forward pass, at most")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str()
      ->type_name("N");
  app.add_option(
         "--kv-type", settings.kv_type,
         fmt::format("of keys and values: {}", fmt::join(kKeyValueTypes, ", ")))
      ->capture_default_str()
      ->type_name("TYPE");
  app.add_option("--flash-attention", settings.flash_attention,
                 "auto, on or off")
      ->check(CLI::IsMember({"auto", "on", "off"}))
      ->capture_default_str()
      ->type_name("WHEN");
  app.add_option("--poll", settings.poll,
                 "how waiting threads wait: 0 sleeps, 100 spins")
      ->check(CLI::Range(0, 100))
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--gpu-layers", settings.gpu_layers,
                 "that GPUs hold, in a build that knows them; -1: all")
      ->check(CLI::Range(-1, 4096))
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--cpus", settings.cpus, "threads stay on these: 0,2-3")
      ->type_name("LIST");
  app.add_flag_callback(
      "--no-repack", [&settings] { settings.repack = false; },
      "leave the weights as they are in the file");
  app.add_flag_callback(
      "--trust", [] { GuardNetworks({}); },
      "load the file at once, not first in a child process without network");
  app.add_flag("--no-tuned", flags.no_tuned,
               "as the flags say, not as 'modicum tune' found");
  app.add_flag("--quiet", flags.quiet, "print no bill");
  app.add_flag("--no-ledger", flags.no_ledger, "record nothing");
}

Result<std::string> ReadText(const std::string& path) {
  if (path != "-") return ReadFile(path);
  return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

std::string FormatPhases(const std::vector<PhaseCost>& phases) {
  std::string text;
  for (const PhaseCost& cost : phases) text += PhaseLine(cost);
  return text;
}

nlohmann::json PhasesJson(const std::vector<PhaseCost>& phases) {
  nlohmann::json json = nlohmann::json::object();
  for (const PhaseCost& cost : phases) {
    nlohmann::json& phase = json[std::string(PhaseName(cost.phase))];
    phase["seconds"] = cost.wall.value();
    phase["cpu_seconds"] = cost.cpu.value();
    phase["energy"] = ToJson(cost.energy, JsonStyle::kReadable);
    phase["contended"] = cost.contended;
    if (cost.tokens == 0) continue;
    const auto tokens = static_cast<double>(cost.tokens);
    phase["tokens"] = cost.tokens;
    phase["energy_per_token"] =
        ToJson(cost.energy / tokens, JsonStyle::kReadable);
    phase["tokens_per_second"] = tokens / cost.wall.value();
  }
  return json;
}

NeuralRun::NeuralRun(const Context& context, const NeuralFlags& flags,
                     Instruments instruments)
    : context_(context),
      flags_(flags),
      instruments_(std::move(instruments)),
      phases_(*instruments_.meter) {}

Result<std::unique_ptr<NeuralRun>> NeuralRun::Start(const Context& context,
                                                    std::string kind,
                                                    const NeuralFlags& flags) {
  MODICUM_TRY(Instruments instruments,
              OpenInstruments(context, PlaceQueryOf(context.settings)));
  std::unique_ptr<NeuralRun> run(
      new NeuralRun(context, flags, std::move(instruments)));
  if (!flags.no_ledger) {
    MODICUM_TRY(run->ledger_, Ledger::Open(context.settings.ledger));
  }
  run->run_ = StartRun(kind, flags.model, context.settings.project,
                       run->instruments_.host, context.clock.WallNow());
  run->window_ = run->instruments_.meter->Begin(std::move(kind));
  return run;
}

Result<std::unique_ptr<NeuralModel>> NeuralRun::Open(const std::string& path,
                                                     bool adapted) {
  MODICUM_TRY(NeuralEngine* const engine, FindNeuralEngine());
  TunedChoice chosen{flags_.settings, {}};
  if (!flags_.no_tuned) {
    MODICUM_TRY(chosen, TunedUnder(flags_.settings, path, context_.settings,
                                   instruments_.host));
  }
  if (!adapted) chosen.settings.lora.clear();
  if (!chosen.settings.lora.empty())
    Tag("lora", fmt::format("{}", fmt::join(chosen.settings.lora, ", ")));
  if (!chosen.note.empty()) Tag("run settings", chosen.note);
  std::optional<Progress> progress;  // cleared from the terminal at its end
  progress.emplace(stderr, "load", 100, context_.clock);
  CallOptions call;
  call.stop = context_.stop;
  MODICUM_TRY(auto model,
              engine->Open(
                  path, chosen.settings,
                  [&progress](double share) {
                    progress->Update(static_cast<uint64_t>(100 * share));
                  },
                  call, phases_));
  progress.reset();
  WarnBeyondTraining(model->info());
  if (!run_.tags.contains("architecture")) {
    Tag("architecture", model->info().architecture);
    Tag("type", model->info().file_type);
    if (!model->info().gpus.empty())
      Tag("gpu", fmt::format("{}", fmt::join(model->info().gpus, ", ")));
  }
  return model;
}

Result<std::unique_ptr<HeadedEncoder>> NeuralRun::OpenHeaded(
    const std::string& path) {
  MODICUM_TRY(NeuralEngine* const engine, FindNeuralEngine());
  CallOptions call;
  call.stop = context_.stop;
  MODICUM_TRY(auto encoder,
              engine->OpenHeaded(path, flags_.settings, call, phases_));
  Tag("architecture", encoder->info().architecture);
  Tag("type", encoder->info().file_type);
  Tag("head", std::string(HeadKindName(encoder->kind())));
  return encoder;
}

Status NeuralRun::ReadLines(LineReader& from, size_t count, bool skips_blank,
                            std::vector<NumberedLine>& lines) {
  phases_.Begin(Phase::kWait);
  Status status;
  while (lines.size() < count) {
    const auto line = from.Next();
    if (!line) status = Fail(line.error());
    if (!line || !*line) break;
    if (skips_blank && (*line)->find_first_not_of(" \t") == std::string::npos)
      continue;
    lines.push_back({from.line(), std::string(**line)});
  }
  phases_.Begin(Phase::kPrepare);
  return status;
}

Result<NeuralRun::Outcome> NeuralRun::End(const Status& status) {
  Outcome outcome;
  MODICUM_TRY(outcome.phases, phases_.Finish());
  MODICUM_TRY(const WindowReading reading, instruments_.meter->End(window_));
  Run run = run_;
  run.started = reading.began;
  run.ended = run.started + reading.wall;
  run.status = StatusOf(status);
  run.exit_code = ExitCodeOf(run.status);
  run.bill = instruments_.BillOf(reading);
  if (reading.contended)
    run.bill->warnings.push_back(
        "the network's threads wait for the slowest of them: contention costs "
        "a multiple of what others took; speed and joules are not its own");
  outcome.run = std::move(run);
  return outcome;
}

void NeuralRun::Record(const Outcome& outcome) const {
  if (!flags_.quiet) {
    std::string text =
        FormatRunBill(outcome.run) + FormatPhases(outcome.phases);
    if (const auto settings = outcome.run.tags.find("run settings");
        settings != outcome.run.tags.end())
      text += fmt::format("{:<10}{}\n", "settings", settings->second);
    std::fputs(text.c_str(), stderr);
  }
  if (!ledger_) return;
  if (const Status put = ledger_->Put(outcome.run, Measurements(outcome)); !put)
    PrintError(put.error());
}

}  // namespace modicum
