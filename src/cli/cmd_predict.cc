// SPDX-License-Identifier: Apache-2.0
// `modicum predict`: the answers of an artifact, or of a network with a head,
// to lines of text, with a bill at the end.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include "base/format.h"
#include "base/remote_use.h"
#include "cli/command.h"
#include "cli/instruments.h"
#include "cli/parse.h"
#include "cli/predict_network.h"
#include "cli/print_error.h"
#include "meter/meter.h"
#include "model/artifact.h"
#include "model/predict_stream.h"
#include "place/place_settings.h"
#include "record/ledger.h"
#include "record/start_run.h"
#include "report/bill_report.h"

namespace modicum {
namespace {

struct PredictOptions {
  std::string artifact;
  NetworkPrediction network;    // where it names one, instead
  std::string input;            // "" = stdin
  std::string output;           // "" = stdout
  std::string field;            // "" = the one the model was trained on
  std::optional<size_t> batch;  // none = as the card says
  std::string format = "jsonl";
  std::string on_error = "stop";
  bool quiet = false;
  bool no_ledger = false;
  StreamOptions stream;
};

// `of_artifacts`: options that a network has no use for.
void DeclareNetwork(CLI::App& app, PredictOptions& options,
                    const std::vector<CLI::Option*>& of_artifacts) {
  NetworkPrediction& network = options.network;
  CLI::Option* model =
      app.add_option("-m,--model", network.network.model,
                     "not an artifact: an encoder with a head beside it, as "
                     "`modicum import` makes it")
          ->type_name("FILE");
  for (CLI::Option* option : of_artifacts) model->excludes(option);
  NeuralSettings& settings = network.network.settings;
  app.add_option("--top", network.top, "with -m: tokens for a [MASK]")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str()
      ->needs(model);
  app.add_option("-t,--threads", settings.threads,
                 "with -m; default: one for each CPU it may use")
      ->check(CLI::Range(1, 512))
      ->needs(model);
  app.add_option("--micro-batch", settings.micro_batch,
                 "with -m: tokens a forward pass, about")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str()
      ->needs(model);
  app.add_flag_callback(
         "--trust", [] { GuardNetworks({}); },
         "with -m: load the file at once, not first in a child process")
      ->needs(model);
}

void Declare(CLI::App& app, PredictOptions& options) {
  app.name("modicum predict");
  std::vector<CLI::Option*> of_artifacts;
  of_artifacts.push_back(
      app.add_option("ARTIFACT", options.artifact, "folder that a fit wrote"));
  app.add_option("--input", options.input, "read this file, not stdin")
      ->type_name("FILE");
  of_artifacts.push_back(
      app.add_option("--output", options.output, "write this file, not stdout")
          ->type_name("FILE"));
  app.add_option("--field", options.field,
                 "member of each JSON line that has the text; default: as in "
                 "training")
      ->type_name("NAME");
  app.add_flag("--plain", options.stream.input.plain,
               "each line is the text itself; of a table, CSV with a header");
  of_artifacts.push_back(app.add_option("--format", options.format,
                                        "jsonl, or label: the bare label")
                             ->check(CLI::IsMember({"jsonl", "label"})));
  of_artifacts.push_back(app.add_flag("--probabilities",
                                      options.stream.probabilities,
                                      "the probability of every label"));
  of_artifacts.push_back(
      app.add_option("--explain", options.stream.call.explain,
                     "add the N features that decided, with their effects")
          ->check(CLI::Range(1, 1000))
          ->type_name("N"));
  of_artifacts.push_back(
      app.add_option("--on-error", options.on_error,
                     "at a bad line: stop, or skip: answer {\"error\": ...}")
          ->check(CLI::IsMember({"stop", "skip"})));
  app.add_option("--batch", options.batch,
                 "lines per call of the model; default: what fit found")
      ->check(CLI::Range(1, 1000000));
  app.add_flag("--quiet", options.quiet, "print no bill");
  app.add_flag("--no-ledger", options.no_ledger, "record nothing");
  DeclareNetwork(app, options, of_artifacts);
}

// What both kinds of models have.
void TakeCommon(PredictOptions& options) {
  NetworkPrediction& network = options.network;
  network.network.quiet = options.quiet;
  network.network.no_ledger = options.no_ledger;
  network.plain = options.stream.input.plain;
  network.lines = options.batch.value_or(network.lines);
  if (!options.input.empty()) network.input = options.input;
  if (!options.field.empty()) network.field = options.field;
}

std::optional<int> ParseOptions(const std::vector<std::string>& args,
                                PredictOptions& options) {
  CLI::App app(
      "Answers each line with a label, and bills it.\n\n"
      "  modicum predict spam.modicum < mails.jsonl\n"
      "  modicum predict spam.modicum --plain --format label < lines.txt\n"
      "  modicum predict -m ner.gguf < sentences.jsonl\n");
  Declare(app, options);
  const auto code = ParseArgs(app, args);
  options.stream.labels_only = options.format == "label";
  options.stream.skip_errors = options.on_error == "skip";
  TakeCommon(options);
  return code;
}

// A descriptor that is closed unless it is a standard one.
class File {
 public:
  static Result<File> Open(const std::string& path, int standard, int flags) {
    if (path.empty()) return File(standard);
    const int fd = open(path.c_str(), flags | O_CLOEXEC, 0644);
    if (fd >= 0) return File(fd);
    return Fail(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
                fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  }
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&&) = delete;
  ~File() {
    if (fd_ > STDERR_FILENO) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  explicit File(int fd) : fd_(fd) {}
  int fd_;
};

struct PredictSetup : Instruments {
  std::unique_ptr<Ledger> ledger;  // null with --no-ledger
};

Result<PredictSetup> Prepare(const Context& context,
                             const PredictOptions& options) {
  PredictSetup setup;
  MODICUM_TRY(static_cast<Instruments&>(setup),
              OpenInstruments(context, PlaceQueryOf(context.settings)));
  if (!options.no_ledger) {
    MODICUM_TRY(setup.ledger, Ledger::Open(context.settings.ledger));
  }
  return setup;
}

// What was answered, and how it ended.
struct Outcome {
  bool loaded = false;  // there was a model to ask
  StreamResult counts;
  Card card;
  Status status;
};

// What the card says, unless a flag says otherwise. Every thread has a batch.
Status TakeCard(const Card& card, PredictOptions& options) {
  if (!card.columns.empty() && !options.field.empty())
    return Fail(
        ErrorCode::kInvalidInput,
        options.artifact + " reads a table: --field is for text",
        fmt::format("give it the columns {}", fmt::join(card.columns, ", ")));
  options.stream.input.columns = card.columns;
  options.stream.input.field =
      options.field.empty() ? card.text_field : options.field;
  options.stream.batch =
      options.batch.value_or(static_cast<size_t>(card.run.threads) *
                             static_cast<size_t>(card.run.batch));
  return {};
}

Outcome Work(const Context& context, PredictOptions& options) {
  Outcome outcome;
  outcome.status = [&]() -> Status {
    NullSink sink;
    MODICUM_TRY(LoadedArtifact loaded, LoadArtifact(options.artifact, sink));
    outcome.loaded = true;
    outcome.card = std::move(loaded.card);
    MODICUM_TRY(const File in,
                File::Open(options.input, STDIN_FILENO, O_RDONLY));
    MODICUM_TRY(const File out, File::Open(options.output, STDOUT_FILENO,
                                           O_WRONLY | O_CREAT | O_TRUNC));
    MODICUM_RETURN_IF_ERROR(TakeCard(outcome.card, options));
    options.stream.call.stop = context.stop;
    return PredictStream(*loaded.model, in.fd(), out.fd(), options.stream, sink,
                         outcome.counts);
  }();
  return outcome;
}

RunStatus StatusOf(const Status& status) {
  if (status) return RunStatus::kOk;
  return status.error().code == ErrorCode::kInterrupted
             ? RunStatus::kInterrupted
             : RunStatus::kFailed;
}

Run MakeRun(const Context& context, const PredictOptions& options,
            const PredictSetup& setup, const Outcome& outcome,
            const WindowReading& reading) {
  Run run = StartRun("predict", options.artifact, context.settings.project,
                     setup.host, reading.began);
  run.tags["items"] = std::to_string(outcome.counts.items);
  if (!outcome.card.family.empty()) {
    run.tags["family"] = outcome.card.family;
    run.tags["artifact"] = ToHex(outcome.card.artifact).substr(0, 12);
  }
  for (const auto& [endpoint, use] : RemoteUseSoFar()) {
    run.tags["price: " + endpoint] =
        fmt::format("{:.6g} {}", use.price, use.currency);
    run.tags["tokens: " + endpoint] =
        fmt::format("{} read, {} written", use.tokens_in, use.tokens_out);
  }
  run.ended = run.started + reading.wall;
  run.status = StatusOf(outcome.status);
  run.exit_code = outcome.status ? kExitOk : kExitFailed;
  run.bill = setup.BillOf(reading);
  return run;
}

// "1,816 items  0.61 J per 1,000 [0.25, 1.5] modelled".
std::string ItemsLine(const StreamResult& counts, const Bill& bill) {
  std::string line = fmt::format("items     {}", FormatCount(counts.items));
  if (counts.skipped > 0)
    line += fmt::format(", {} bad lines skipped", counts.skipped);
  if (counts.items > 0) {
    const double thousands = static_cast<double>(counts.items) / 1000;
    line += fmt::format("; {} per 1,000, loading included",
                        FormatEstimate(bill.energy / thousands));
  }
  return line + "\n";
}

// What endpoints did for the answers: it is not in the bill's energy, which
// is of this machine.
std::string ElsewhereLines() {
  std::string lines;
  for (const auto& [endpoint, use] : RemoteUseSoFar()) {
    lines += fmt::format(
        "elsewhere {}: {} requests, {} tokens read, {} written; {:.4g} {} by "
        "its price list; {} more\n",
        endpoint, FormatCount(use.requests), FormatCount(use.tokens_in),
        FormatCount(use.tokens_out), use.price, use.currency,
        FormatEstimate(RemoteEnergy({{endpoint, use}})));
    if (use.unlabelled > 0)
      lines += fmt::format("elsewhere {}: {}\n", endpoint, UnlabelledText(use));
  }
  return lines;
}

// What fails here is said, but the answers stand.
void Record(const PredictOptions& options, const PredictSetup& setup,
            const Run& run, const StreamResult& counts) {
  if (!options.quiet) {
    const std::string text =
        FormatRunBill(run) + ItemsLine(counts, *run.bill) + ElsewhereLines();
    std::fputs(text.c_str(), stderr);
  }
  if (!setup.ledger) return;
  if (const Status put = setup.ledger->Put(run); !put) PrintError(put.error());
}

}  // namespace

Result<int> CmdPredict(Context& context, const std::vector<std::string>& args) {
  PredictOptions options;
  if (const auto code = ParseOptions(args, options)) return *code;
  if (options.stream.labels_only && options.stream.call.explain > 0)
    return UsageError({ErrorCode::kInvalidInput,
                       "--explain has no place in --format label",
                       "leave out one of them"});
  if (!options.network.network.model.empty())
    return PredictWithNetwork(context, options.network);
  if (options.artifact.empty())
    return UsageError({ErrorCode::kInvalidInput, "no model to ask",
                       "name an artifact's folder, or a network with -m"});
  MODICUM_TRY(const PredictSetup setup, Prepare(context, options));

  const WindowId window = setup.meter->Begin("predict");
  const Outcome outcome = Work(context, options);
  MODICUM_TRY(const WindowReading reading, setup.meter->End(window));

  if (!outcome.loaded) return Fail(outcome.status.error());
  const Run run = MakeRun(context, options, setup, outcome, reading);
  Record(options, setup, run, outcome.counts);
  if (!outcome.status) return Fail(outcome.status.error());
  return kExitOk;
}

}  // namespace modicum
