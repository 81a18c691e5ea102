// SPDX-License-Identifier: Apache-2.0
// `modicum perplexity`: how well a network predicts a text, alone or against
// the one it was made from.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/format.h"
#include "base/terminal.h"
#include "cli/command.h"
#include "cli/neural_run.h"
#include "cli/parse.h"
#include "cli/perplexity_text.h"
#include "evaluate/perplexity.h"
#include "record/json.h"

namespace modicum {
namespace {

struct PerplexityFlags : NeuralFlags {
  std::string text;
  std::string base;
  std::string format = "text";
  PerplexityOptions options;
};

std::optional<int> ParseFlags(const std::vector<std::string>& args,
                              PerplexityFlags& flags) {
  CLI::App app(
      "How well a network predicts a text, and how far it is from another.\n\n"
      "  modicum perplexity -m model.gguf -f text.txt\n"
      "  modicum perplexity -m small.gguf --base model.gguf -f text.txt\n");
  app.name("modicum perplexity");
  app.add_option("-f,--file", flags.text, "the text; - is stdin")
      ->required()
      ->type_name("FILE");
  app.add_option("--base", flags.base,
                 "also how far it is from this network's predictions")
      ->type_name("FILE");
  app.add_option("--stride", flags.options.stride,
                 "a chunk begins every N tokens; default: where the last ends")
      ->check(CLI::Range(1, 1 << 24))
      ->type_name("N");
  app.add_option("--chunks", flags.options.chunks, "only the first N")
      ->check(CLI::Range(1, 1 << 30))
      ->type_name("N");
  app.add_option("--format", flags.format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  AddNeuralFlags(app, flags);
  app.get_option("--context")
      ->description("tokens of a chunk; default: 512, or as trained if less");
  return ParseArgs(app, args);
}

struct PerplexityWork {
  bool loaded = false;
  PerplexityFigure figure;

  Status Do(const Context& context, const PerplexityFlags& flags,
            const std::string& text, NeuralRun& run) {
    MODICUM_TRY(const auto network, run.Open(flags.model));
    std::unique_ptr<NeuralModel> base;
    if (!flags.base.empty()) {
      MODICUM_TRY(base, run.Open(flags.base, /*adapted=*/false));
    }
    loaded = true;
    run.phases().Begin(Phase::kPrepare);
    MODICUM_TRY(const TokenIds tokens, network->Tokenize(text, true));
    std::optional<Progress> progress;
    PerplexityOptions options = flags.options;
    options.context = network->info().context;
    options.call.stop = context.stop;
    options.progress = [&](uint64_t done, uint64_t all) {
      if (!progress) progress.emplace(stderr, "chunk", all, context.clock);
      progress->Update(done);
    };
    MODICUM_TRY(figure, MeasurePerplexity(*network, base.get(), tokens, options,
                                          run.phases()));
    run.Tag("text", flags.text);
    run.Tag("perplexity", fmt::format("{:.6g}", figure.perplexity.mid));
    return {};
  }
};

void Print(const PerplexityFlags& flags, const PerplexityFigure& figure,
           const NeuralRun::Outcome& outcome) {
  if (flags.format == "text") {
    std::fputs(FormatPerplexity(figure).c_str(), stdout);
    return;
  }
  nlohmann::json json = PerplexityJson(figure);
  json["phases"] = PhasesJson(outcome.phases);
  json["run"] = ToJson(outcome.run, JsonStyle::kReadable);
  std::fputs(ReadableText(json).c_str(), stdout);
}

}  // namespace

Result<int> CmdPerplexity(Context& context,
                          const std::vector<std::string>& args) {
  PerplexityFlags flags;
  if (const auto code = ParseFlags(args, flags)) return *code;
  // As much as llama-perplexity takes, where the network keeps as much.
  MODICUM_RETURN_IF_ERROR(SetContext(PerplexityOptions().context, flags));
  MODICUM_TRY(const std::string text, ReadText(flags.text));
  MODICUM_TRY(const auto run, NeuralRun::Start(context, "perplexity", flags));
  PerplexityWork work;
  const Status status = work.Do(context, flags, text, *run);
  if (!work.loaded) return Fail(status.error());
  MODICUM_TRY(const NeuralRun::Outcome outcome, run->End(status));
  if (status) Print(flags, work.figure, outcome);
  run->Record(outcome);
  if (!status) return Fail(status.error());
  return kExitOk;
}

}  // namespace modicum
