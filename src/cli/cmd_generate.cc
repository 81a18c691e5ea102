// SPDX-License-Identifier: Apache-2.0
// `modicum generate`: a network continues a text, token by token, with a bill
// for each phase at the end.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/command.h"
#include "cli/neural_run.h"
#include "cli/parse.h"
#include "cli/print_error.h"
#include "dataset/utf8.h"
#include "record/json.h"

namespace modicum {
namespace {

struct GenerateFlags : NeuralFlags {
  std::optional<std::string> prompt;
  std::string file;  // "-" is stdin
  bool echo = false;
  std::optional<double> seconds;
  std::string format = "text";
  GenerateOptions options;
};

void Declare(CLI::App& app, GenerateFlags& flags) {
  GenerateOptions& options = flags.options;
  app.name("modicum generate");
  app.add_option("-p,--prompt", flags.prompt, "the text to continue")
      ->type_name("TEXT");
  app.add_option("-f,--file", flags.file, "the same from a file; - is stdin")
      ->type_name("FILE");
  app.add_option("-n,--tokens", options.max_tokens, "at most so many tokens")
      ->check(CLI::Range(0, 1 << 24))
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--temp", options.temperature,
                 "0: the likeliest token, always; else draw")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str()
      ->type_name("T");
  app.add_option("--seed", options.call.seed, "of the draw")
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--top-k", options.top_k, "of the K likeliest; 0: of all")
      ->check(CLI::Range(0, 1 << 24))
      ->capture_default_str()
      ->type_name("K");
  app.add_option("--top-p", options.top_p,
                 "of the likeliest that have this probability together")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->type_name("P");
  app.add_option("--min-p", options.min_p,
                 "of those at least so likely, the likeliest being 1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->type_name("P");
  app.add_flag("--ignore-eos", options.ignore_end,
               "go on where the network would end");
  app.add_flag("--echo", flags.echo, "print the prompt too");
  app.add_option("--deadline", flags.seconds, "end after so many seconds")
      ->check(CLI::Range(0.0, 1e9))
      ->type_name("S");
  app.add_option("--format", flags.format, "text, as it comes, or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  AddNeuralFlags(app, flags);
}

std::optional<int> ParseFlags(const std::vector<std::string>& args,
                              GenerateFlags& flags) {
  CLI::App app(
      "Continues a text with a neural network, and bills each phase.\n\n"
      "  modicum generate -m model.gguf -p 'Once upon a time'\n"
      "  modicum generate -m model.gguf -f prompt.txt -n 400 --temp 0.8\n");
  Declare(app, flags);
  if (const auto code = ParseArgs(app, args)) return code;
  if (flags.prompt.has_value() != !flags.file.empty()) return std::nullopt;
  return UsageError({ErrorCode::kInvalidInput,
                     flags.prompt ? "two prompts" : "nothing to continue",
                     "give it one prompt: -p TEXT or -f FILE"});
}

std::string_view EndName(Generation::End end) {
  switch (end) {
    case Generation::End::kEndToken:
      return "end";
    case Generation::End::kLength:
      return "length";
    case Generation::End::kContext:
      return "context";
    case Generation::End::kStopped:
      return "stopped";
    case Generation::End::kDeadline:
      return "deadline";
  }
  return "?";
}

// Text as it comes, each character at once.
class Output {
 public:
  bool Write(std::string_view text) {
    if (text.empty()) return true;
    last_ = text.back();
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
           std::fflush(stdout) == 0;
  }
  // What comes next on a terminal begins a line.
  void End() {
    if (last_ != '\n') Write("\n");
  }

 private:
  char last_ = '\n';
};

class GenerateWork {
 public:
  GenerateWork(const Context& context, const GenerateFlags& flags,
               NeuralRun& run)
      : context_(context), flags_(flags), run_(run) {}

  // What was generated is printed by then, or lost with the error.
  Status Do(const std::string& prompt) {
    MODICUM_TRY(const auto model, run_.Open(flags_.model));
    loaded_ = true;
    run_.phases().Begin(Phase::kPrepare);
    MODICUM_TRY(const TokenIds tokens, model->Tokenize(prompt, true));
    prompt_tokens_ = tokens.size();
    const bool streams = flags_.format == "text";
    const std::string echo = flags_.echo ? ReplaceUnusableBytes(prompt) : "";
    if (streams) output_.Write(echo);
    const auto generated = model->Generate(
        tokens, Options(),
        [&](std::string_view text) { return !streams || output_.Write(text); },
        run_.phases());
    if (streams) output_.End();
    if (!generated) return Fail(generated.error());
    generation_ = *generated;
    run_.Tag("end", std::string(EndName(generation_.end)));
    text_ = echo + generation_.text;
    if (!flags_.quiet) SayWhyItEnds(model->info().context);
    return {};
  }

  // Where it is not what was asked for.
  void SayWhyItEnds(uint32_t context) const {
    if (generation_.end == Generation::End::kContext)
      fmt::print(stderr,
                 "modicum: note: the text ends where the context of {} tokens "
                 "is full; -c N sets it\n",
                 context);
    if (generation_.end == Generation::End::kDeadline)
      fmt::print(stderr, "modicum: note: the text ends at the deadline\n");
  }

  bool loaded() const { return loaded_; }
  void Tag() {
    run_.Tag("prompt_tokens", std::to_string(prompt_tokens_));
    // Of an interrupted one, what was computed.
    run_.Tag("tokens", std::to_string(std::max<uint64_t>(
                           generation_.tokens.size(),
                           run_.phases().tokens(Phase::kDecode))));
  }

  void PrintJson(const NeuralRun::Outcome& outcome) const {
    nlohmann::json json;
    json["text"] = text_;
    json["tokens"] = generation_.tokens;
    json["prompt_tokens"] = prompt_tokens_;
    json["end"] = EndName(generation_.end);
    json["phases"] = PhasesJson(outcome.phases);
    json["run"] = ToJson(outcome.run, JsonStyle::kReadable);
    std::fputs(ReadableText(json).c_str(), stdout);
  }

 private:
  GenerateOptions Options() const {
    GenerateOptions options = flags_.options;
    options.call.stop = context_.stop;
    if (flags_.seconds)
      options.call.deadline = context_.clock.Now() + Seconds(*flags_.seconds);
    return options;
  }

  const Context& context_;
  const GenerateFlags& flags_;
  NeuralRun& run_;
  Output output_;
  bool loaded_ = false;
  size_t prompt_tokens_ = 0;
  Generation generation_;
  std::string text_;
};

}  // namespace

Result<int> CmdGenerate(Context& context,
                        const std::vector<std::string>& args) {
  GenerateFlags flags;
  if (const auto code = ParseFlags(args, flags)) return *code;
  if (!flags.prompt) {
    MODICUM_TRY(flags.prompt, ReadText(flags.file));
  }
  MODICUM_TRY(const auto run, NeuralRun::Start(context, "generate", flags));
  GenerateWork work(context, flags, *run);
  const Status status = work.Do(*flags.prompt);
  if (!work.loaded()) return Fail(status.error());
  work.Tag();
  MODICUM_TRY(const NeuralRun::Outcome outcome, run->End(status));
  if (status && flags.format == "json") work.PrintJson(outcome);
  run->Record(outcome);
  if (!status) return Fail(status.error());
  return kExitOk;
}

}  // namespace modicum
