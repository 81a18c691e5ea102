// SPDX-License-Identifier: Apache-2.0
// `modicum shrink quantize`: a network in fewer bits, and what that costs and
// saves: size, quality, joules a token.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/format.h"
#include "cli/command.h"
#include "cli/neural_run.h"
#include "cli/parse.h"
#include "cli/perplexity_text.h"
#include "cli/precision_text.h"
#include "cli/print_error.h"
#include "evaluate/perplexity.h"
#include "evaluate/token_cost.h"
#include "model/gguf/gguf_file.h"
#include "model/gguf/importance_file.h"
#include "tune/mixed_precision.h"
#include "tune/workload.h"

namespace modicum {
namespace {

struct ShrinkFlags : NeuralFlags {
  std::string to;
  std::string output;
  std::string imatrix;                    // a text, or what llama-imatrix wrote
  std::string text;                       // to measure on
  std::vector<std::string> tensor_types;  // REGEX=TYPE
  bool requantize = false;
  bool pure = false;
  uint64_t chunks = 0;
  std::optional<double> max_kl;  // of `auto`, nats a token
  std::string workload;          // of `auto`
  bool chooses() const { return to == "auto"; }
};

void Declare(CLI::App& app, ShrinkFlags& flags) {
  app.add_option("MODEL", flags.model, "the network, a GGUF file")->required();
  app.add_option("--to", flags.to,
                 "file type: q8_0, q6_k, q4_k_m, bf16, ...; ? lists them; auto "
                 "chooses a type for each kind of tensor")
      ->required()
      ->type_name("TYPE");
  app.add_option("-o,--output", flags.output,
                 "default: MODEL-TYPE.gguf beside it")
      ->type_name("FILE");
  app.add_option("--imatrix", flags.imatrix,
                 "which columns matter: from a text, or what llama-imatrix "
                 "wrote")
      ->type_name("FILE");
  app.add_option("--text", flags.text,
                 "measure quality and joules a token on this text, before and "
                 "after")
      ->type_name("FILE");
  app.add_option("--chunks", flags.chunks, "of that text, only the first N")
      ->check(CLI::Range(1, 1 << 30))
      ->type_name("N");
  app.add_option("--tensor-type", flags.tensor_types,
                 "another type for tensors whose names match: REGEX=TYPE")
      ->allow_extra_args(false)
      ->type_name("REGEX=TYPE");
  app.add_option("--max-kl", flags.max_kl,
                 "auto: how far the predictions may move, nats a token; "
                 "default: 0.03, about as far as q4_k_m moves those of "
                 "Llama-3-8B")
      ->check(CLI::Range(1e-6, 10.0))
      ->type_name("NATS");
  app.add_option("--workload", flags.workload,
                 "auto: a TOML file with the tokens that requests read and "
                 "write, as `modicum tune` takes it")
      ->type_name("FILE");
  app.add_flag("--pure", flags.pure, "every tensor of the one type");
  app.add_flag("--requantize", flags.requantize,
               "allow it for what is quantized already: quality suffers twice");
  AddNeuralSettings(app, flags);
}

double MaxKl(const ShrinkFlags& flags) { return flags.max_kl.value_or(0.03); }

// nullopt to go on, else the exit code.
std::optional<int> ParseFlags(const std::vector<std::string>& args,
                              ShrinkFlags& flags) {
  CLI::App app(
      "Makes a network smaller, and says what that costs and saves.\n\n"
      "  modicum shrink quantize model.gguf --to q4_k_m\n"
      "  modicum shrink quantize model.gguf --to q4_k_m --text eval.txt\n"
      "  modicum shrink quantize model.gguf --to auto --text eval.txt\n");
  app.name("modicum shrink");
  app.require_subcommand(1);
  CLI::App* quantize = app.add_subcommand(
      "quantize", "fewer bits for each weight, by llama.cpp's quantizers");
  Declare(*quantize, flags);
  return ParseArgs(app, args);
}

Status CheckChoice(const ShrinkFlags& flags) {
  if (flags.text.empty())
    return Fail(ErrorCode::kInvalidInput,
                "--to auto needs a text to measure on",
                "add --text FILE: half of it chooses, half of it judges");
  if (!flags.pure && flags.tensor_types.empty()) return {};
  return Fail(ErrorCode::kInvalidInput,
              "--to auto chooses the types: --pure and --tensor-type have no "
              "part in it",
              "leave them out, or name a file type");
}

// Nothing that was asked for goes unused.
Status CheckFlags(const ShrinkFlags& flags) {
  if (flags.chooses()) return CheckChoice(flags);
  if (flags.max_kl || !flags.workload.empty())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} has no part in --to {}",
                            flags.max_kl ? "--max-kl" : "--workload", flags.to),
                "it is of --to auto, which chooses the types");
  if (flags.chunks == 0 || !flags.text.empty()) return {};
  return Fail(ErrorCode::kInvalidInput,
              "--chunks is of a text, and none is given",
              "add --text FILE to measure on");
}

std::string DefaultOutput(const ShrinkFlags& flags) {
  std::filesystem::path path(flags.model);
  const std::string stem = path.stem().string();
  return path.replace_filename(stem + "-" + flags.to + ".gguf").string();
}

Result<QuantizeOptions> OptionsOf(const Context& context,
                                  const ShrinkFlags& flags) {
  QuantizeOptions options;
  options.type = flags.to;
  options.threads = flags.settings.threads;
  options.requantize = flags.requantize;
  options.pure = flags.pure;
  options.stop = context.stop;
  for (const std::string& word : flags.tensor_types) {
    const size_t equals = word.rfind('=');
    if (equals == word.npos || equals == 0)
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("--tensor-type {} is not REGEX=TYPE", word),
                  "for example --tensor-type ffn_down=q6_K");
    options.tensor_types.emplace_back(word.substr(0, equals),
                                      word.substr(equals + 1));
  }
  return options;
}

Result<bool> IsGguf(const std::string& path) {
  MODICUM_TRY(const RandomAccessFile file, RandomAccessFile::Open(path));
  if (file.size() < 4) return false;
  MODICUM_TRY(const std::string magic, file.Read(0, 4));
  return magic == "GGUF";
}

// Before and after, of what the network reads and writes.
struct Comparison {
  PerplexityFigure quality;
  std::vector<TokenCost> costs;  // of the network, then of the smaller one
};

class ShrinkWork {
 public:
  ShrinkWork(const Context& context, const ShrinkFlags& flags, NeuralRun& run)
      : context_(context), flags_(flags), run_(run) {
    call_.stop = context.stop;
  }

  Status Do() {
    MODICUM_TRY(before_, ReadGguf(flags_.model, GgufCheck::kStructure));
    MODICUM_TRY(QuantizeOptions options, OptionsOf(context_, flags_));
    MODICUM_RETURN_IF_ERROR(Prepare());
    MODICUM_RETURN_IF_ERROR(Weigh(options));
    run_.phases().Begin(Phase::kPrepare);
    MODICUM_TRY(NeuralEngine* const engine, FindNeuralEngine());
    if (flags_.chooses())
      MODICUM_RETURN_IF_ERROR(ChooseTypes(*engine, options));
    MODICUM_RETURN_IF_ERROR(
        engine->Quantize(flags_.model, flags_.output, options));
    MODICUM_TRY(after_, ReadGguf(flags_.output));
    written_ = true;
    run_.Tag("to", flags_.to);
    run_.Tag("bytes", fmt::format("{:.0f}", after_.bytes().value()));
    return Compare();
  }

  bool written() const { return written_; }
  std::string Report() const;

 private:
  // What the text must be is said before anything is written.
  Status Prepare() {
    if (!flags_.workload.empty()) MODICUM_RETURN_IF_ERROR(ReadWorkload());
    if (flags_.text.empty()) return {};
    MODICUM_RETURN_IF_ERROR(OpenNetwork());
    MODICUM_TRY(const std::string text, ReadFile(flags_.text));
    MODICUM_TRY(text_, network_->Tokenize(text, true));
    const size_t needed =
        (flags_.chooses() ? 4 : 2) * size_t{network_->info().context};
    if (text_.size() >= needed) return {};
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} has {} tokens, measuring needs {}", flags_.text,
                            FormatCount(text_.size()), FormatCount(needed)),
                "give it more text, or a shorter --context");
  }

  Status ReadWorkload() {
    MODICUM_TRY(workload_, LoadWorkload(flags_.workload));
    if (workload_.kind == TuneWorkload::Kind::kGenerate) return {};
    return Fail(ErrorCode::kInvalidInput,
                flags_.workload + " is of texts to embed",
                "--to auto needs one that generates");
  }

  // On the first half of the text; the second one judges what is chosen.
  Status ChooseTypes(NeuralEngine& engine, QuantizeOptions& options) {
    const std::span<const TokenId> text(text_);
    const MixedPrecisionParts parts{
        engine,
        before_,
        *network_,
        [&](const std::string& path) { return run_.Open(path); },
        flags_.output + ".trial",
        text.first(text.size() / 2),
        Chunks(),
        MaxKl(flags_),
        static_cast<double>(workload_.prompt),
        static_cast<double>(workload_.generate),
        options,
        *run_.instruments().meter,
        run_.phases(),
        [&](std::string_view what) {
          if (!flags_.quiet) fmt::print(stderr, "modicum: {}\n", what);
        }};
    MODICUM_TRY(precision_, ChooseMixedPrecision(parts));
    text_.erase(text_.begin(), text_.begin() + text_.size() / 2);
    options.type = "q8_0";  // of nothing: every tensor has its own
    options.tensor_types = precision_->tensor_types;
    return {};
  }

  PerplexityOptions Chunks() const {
    PerplexityOptions options;
    options.context = network_->info().context;
    options.chunks = flags_.chunks;
    options.call = call_;
    return options;
  }

  Status OpenNetwork() {
    if (network_ != nullptr) return {};
    MODICUM_TRY(network_, run_.Open(flags_.model));
    return {};
  }

  Status Weigh(QuantizeOptions& options) {
    if (flags_.imatrix.empty()) return {};
    MODICUM_TRY(const bool ready, IsGguf(flags_.imatrix));
    if (ready) {
      MODICUM_TRY(options.importance, ReadImportance(flags_.imatrix));
      return {};
    }
    MODICUM_RETURN_IF_ERROR(OpenNetwork());
    MODICUM_TRY(const std::string text, ReadFile(flags_.imatrix));
    MODICUM_TRY(const TokenIds tokens, network_->Tokenize(text, true));
    MODICUM_TRY(options.importance,
                network_->MeasureImportance(tokens, call_, run_.phases()));
    return {};
  }

  Status Compare() {
    if (flags_.text.empty()) return {};
    MODICUM_TRY(const auto smaller, run_.Open(flags_.output));
    Comparison comparison;
    const uint32_t context = network_->info().context;
    MODICUM_TRY(comparison.quality,
                MeasurePerplexity(*smaller, network_.get(), text_, Chunks(),
                                  run_.phases()));
    const TokenCostSubject subjects[] = {
        {network_->info().file_type, network_.get()},
        {smaller->info().file_type, smaller.get()}};
    const auto prompt = std::span<const TokenId>(text_).first(context / 2);
    TokenCostOptions cost;
    cost.generate = std::min(cost.generate, context / 2);
    // Apart from the run's own phases: each window is one network's.
    run_.phases().Begin(Phase::kWarmUp);
    MODICUM_TRY(comparison.costs,
                MeasureTokenCosts(subjects, prompt, cost,
                                  *run_.instruments().meter, context_.stop));
    comparison_ = std::move(comparison);
    return {};
  }

  const Context& context_;
  const ShrinkFlags& flags_;
  NeuralRun& run_;
  CallOptions call_;
  std::unique_ptr<NeuralModel> network_;
  GgufFile before_, after_;
  TokenIds text_;
  TuneWorkload workload_;
  std::optional<MixedPrecision> precision_;  // of `auto`
  bool written_ = false;
  std::optional<Comparison> comparison_;
};

std::string Line(std::string_view label, const std::string& text) {
  return fmt::format("{:<11} {}\n", label, text);
}

double BitsPerWeight(const GgufFile& file) {
  return 8 * file.bytes().value() / static_cast<double>(file.parameters());
}

Estimate<Scalar> CpuRatio(const CostFigure& before, const CostFigure& after) {
  return Ratio(after.cpu_per_1000, before.cpu_per_1000);
}

std::string CostLine(std::string_view label, const CostFigure& before,
                     const CostFigure& after) {
  const auto energy = Ratio(after.joules_per_1000, before.joules_per_1000);
  std::string text = fmt::format(
      "{} a token instead of {}: {} {}; CPU time {} measured",
      FormatEstimate(after.joules_per_1000 / 1000),
      FormatEstimate(before.joules_per_1000 / 1000), FormatRatio(energy),
      OriginName(energy.origin), FormatRatio(CpuRatio(before, after)));
  const size_t contended = before.contended + after.contended;
  if (contended > 0)
    text += fmt::format(
        "; {} of {} repeats were contended{}", contended,
        before.repeats + after.repeats,
        before.contended == before.repeats || after.contended == after.repeats
            ? ": repeat when the machine is quiet"
            : ", set aside");
  return Line(label, text);
}

// By CPU time, which is measured; 90 % intervals decide.
std::string Verdict(const TokenCost& before, const TokenCost& after) {
  const Interval prefill = CpuRatio(before.prefill, after.prefill).interval();
  const Interval decode = CpuRatio(before.decode, after.decode).interval();
  const auto verb = [](const Interval& ratio) {
    return ratio.high < 1  ? "cheaper"
           : ratio.low > 1 ? "dearer"
                           : "not distinguishably cheaper";
  };
  const bool pays = prefill.high < 1 || decode.high < 1;
  return Line(
      "verdict",
      fmt::format("{}: reading is {}, writing is {}, by CPU time",
                  pays ? "it pays here" : "it does not pay here but in bytes",
                  verb(prefill), verb(decode)));
}

std::string ShrinkWork::Report() const {
  std::string text =
      Line("written",
           fmt::format(
               "{}: {} of weights instead of {} ({:.2f}x), {:.2f} bits each "
               "instead of {:.2f}",
               flags_.output, FormatBytes(after_.bytes()),
               FormatBytes(before_.bytes()), after_.bytes() / before_.bytes(),
               BitsPerWeight(after_), BitsPerWeight(before_)));
  if (precision_) text += FormatPrecision(*precision_, MaxKl(flags_));
  if (!comparison_) return text;
  text += FormatPerplexity(comparison_->quality);
  const TokenCost& before = comparison_->costs[0];
  const TokenCost& after = comparison_->costs[1];
  text += CostLine("prefill", before.prefill, after.prefill);
  text += CostLine("decode", before.decode, after.decode);
  return text + Verdict(before, after);
}

// "q8_0      8.50 bits a weight".
std::string TypeList() {
  std::string text;
  for (const GgufFileType& type : GgufFileTypes())
    text += fmt::format("{:<10} {:>5.2f} bits a weight\n", type.name,
                        type.bits_per_weight);
  return text;
}

}  // namespace

Result<int> CmdShrink(Context& context, const std::vector<std::string>& args) {
  ShrinkFlags flags;
  if (const auto code = ParseFlags(args, flags)) return *code;
  if (flags.to == "?") {
    std::fputs(TypeList().c_str(), stdout);
    return kExitOk;
  }
  if (const Status usable = CheckFlags(flags); !usable)
    return UsageError(usable.error());
  if (flags.output.empty()) flags.output = DefaultOutput(flags);
  MODICUM_RETURN_IF_ERROR(SetContext(512, flags));
  MODICUM_TRY(const auto run, NeuralRun::Start(context, "shrink", flags));
  ShrinkWork work(context, flags, *run);
  const Status status = work.Do();
  if (!work.written()) return Fail(status.error());
  MODICUM_TRY(NeuralRun::Outcome outcome, run->End(status));
  std::fputs(work.Report().c_str(), stdout);
  std::fflush(stdout);
  outcome.phases.clear();  // of several networks: the report has them apart
  run->Record(outcome);
  if (!status) return Fail(status.error());
  return kExitOk;
}

}  // namespace modicum
