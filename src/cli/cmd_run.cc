// SPDX-License-Identifier: Apache-2.0
// `modicum run -- CMD`: meters any command, passes its exit code through, and
// keeps the bill.
#include <fmt/format.h>
#include <malloc.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <variant>

#include "base/file.h"
#include "base/terminal.h"
#include "base/wait.h"
#include "cli/command.h"
#include "cli/equals.h"
#include "cli/instruments.h"
#include "cli/print_error.h"
#include "cli/run_options.h"
#include "cli/run_text.h"
#include "cli/run_watch.h"
#include "cli/work_count.h"
#include "meter/child.h"
#include "meter/meter.h"
#include "meter/output_tap.h"
#include "place/place_settings.h"
#include "record/json.h"
#include "record/ledger.h"
#include "record/start_run.h"
#include "report/bill_report.h"
#include "report/emissions.h"

namespace modicum {
namespace {

// Exit codes that shells and env(1) give when a command did not start.
constexpr int kExitNotFound = 127;
constexpr int kExitCannotRun = 126;

// The command line as a shell would take it.
std::string CommandLine(const std::vector<std::string>& command) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
      "-_=+:,./@%^";
  std::string line;
  for (const std::string& word : command) {
    if (!line.empty()) line += ' ';
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) line += c == '\'' ? "'\\''" : std::string(1, c);
    line += '\'';
  }
  return line;
}

// The run's place in the ledger, kept out of the command's way: the row that is
// left if we are killed is written beside it, and only once it has run for a
// moment. A short command waits for one write, at its end.
class Recorder {
 public:
  // A ledger that cannot be written is found here, before anything runs.
  static Result<std::unique_ptr<Recorder>> Open(const std::string& path) {
    MODICUM_TRY(auto ledger, Ledger::Open(path, LedgerClose::kFast));
    MODICUM_RETURN_IF_ERROR(ledger->CheckWritable());
    return std::make_unique<Recorder>(std::move(ledger));
  }
  explicit Recorder(std::unique_ptr<Ledger> ledger)
      : ledger_(std::move(ledger)) {}

  void PutRunning(const Run& run) {
    thread_ = std::jthread([this, run] {
      if (const Status put = ledger_->Put(run); !put) PrintError(put.error());
    });
  }
  Status PutEnded(const Run& run, const std::vector<Measurement>& rows) {
    if (thread_.joinable()) thread_.join();
    return ledger_->Put(run, rows);
  }

 private:
  const std::unique_ptr<Ledger> ledger_;
  std::jthread thread_;  // last: ends first
};

// What is looked up before the command starts, so that it can still be refused.
struct RunSetup : Instruments {
  std::unique_ptr<Recorder> recorder;  // null with --no-ledger
};

Result<RunSetup> Prepare(const Context& context, const RunOptions& options) {
  RunSetup setup;
  MODICUM_TRY(static_cast<Instruments&>(setup),
              OpenInstruments(context, PlaceQueryOf(context.settings)));
  if (!options.no_ledger) {
    MODICUM_TRY(setup.recorder, Recorder::Open(context.settings.ledger));
  }
  if (!options.csv.empty())
    MODICUM_RETURN_IF_ERROR(CheckEmissionsFile(options.csv));
  return setup;
}

Run NewRun(const Context& context, const RunOptions& options,
           const HostFacts& host) {
  Run run = StartRun("run", CommandLine(options.command),
                     context.settings.project, host, context.clock.WallNow());
  run.tags.insert(options.tags.begin(), options.tags.end());
  return run;
}

constexpr Subject kCommandTree{Subject::Kind::kTree, 0};

// A status line would garble a command that draws on the same screen.
bool WantsLiveLine(const RunOptions& options) {
  return !options.quiet && IsTerminal(stderr) &&
         (options.live || !IsTerminal(stdout));
}

// A command that lives longer than this gets a row while it runs.
constexpr Seconds kMoment = Milliseconds(100);

// A command past its budget that does not end by itself within this is killed.
constexpr Seconds kGrace(5);

ChildExit WaitFor(Child& child, const RunOptions& options,
                  const RunSetup& setup, const Run& run, RunBudget& budget) {
  std::optional<RunWatch> watch;
  const bool live = WantsLiveLine(options);
  if (live || options.budget)
    watch.emplace(*setup.meter, kCommandTree, live, budget,
                  [&child, &options](Seconds since) {
                    if (!options.budget_kill) return;
                    since < kGrace ? child.Terminate() : child.Kill();
                  });
  if (setup.recorder && !child.EndsWithin(kMoment))
    setup.recorder->PutRunning(run);
  return child.Wait();
}

RunStatus StatusOf(const ChildExit& exit) {
  if (exit.shell_code() == 0) return RunStatus::kOk;
  return exit.asked ? RunStatus::kInterrupted : RunStatus::kFailed;
}

void Finish(Run& run, const ChildExit& exit, const WindowReading& reading,
            const RunSetup& setup) {
  run.ended = run.started + (reading.wall + reading.suspended);
  run.exit_code = exit.shell_code();
  run.status = StatusOf(exit);
  run.bill = setup.BillOf(reading);
  if (exit.signal != 0)
    run.bill->warnings.push_back(
        fmt::format("the command was killed by signal {} ({})", exit.signal,
                    SignalName(exit.signal)));
  if (exit.survivors)
    run.bill->warnings.push_back(
        "processes that the command started still run: what they use from "
        "now on is not in this bill");
}

Status WriteJson(const std::string& path, const nlohmann::json& json) {
  const std::string text = ReadableText(json);
  if (path != "-") return WriteFileAtomically(path, text);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return {};
}

// What fails here is said; the command did its work. False: it failed.
bool Say(const Status& status) {
  if (!status) PrintError(status.error());
  return status.has_value();
}

// False: a row was lost.
bool Record(const RunOptions& options, const RunSetup& setup,
            const EndedRun& ended, const WindowReading& reading) {
  bool kept = true;
  if (setup.recorder) {
    std::vector<Measurement> rows =
        MeasurementsOf(ended.run, reading, "command");
    for (const RunPhase& phase : ended.phases)
      AppendMeasurements(ended.run, phase, "phase " + phase.name, Phase::kIdle,
                         rows);
    kept &= Say(setup.recorder->PutEnded(ended.run, rows));
  }
  if (!options.csv.empty())
    kept &= Say(AppendEmissionsRow(options.csv, ended.run));
  return kept;
}

void PrintBill(const RunOptions& options, const EndedRun& ended) {
  std::string text =
      FormatRunBill(ended.run, {.verbose = options.verbose, .indent = ""}) +
      FormatExtras(ended);
  if (options.verbose) text += EqualsText(*ended.run.bill);
  std::fputs(text.c_str(), stderr);
}

int DidNotStart(const Error& error) {
  PrintError(error);
  return error.code == ErrorCode::kNotFound ? kExitNotFound : kExitCannotRun;
}

// Reads the command's output when that was asked for.
struct OutputReader {
  std::unique_ptr<WorkCount> work;
  std::optional<RunPhases> phases;
  std::unique_ptr<OutputTap> tap;

  Status Open(const RunOptions& options, Meter& meter) {
    if (!options.reads_output()) return {};
    if (!options.per.empty()) {
      MODICUM_TRY(work, MakeWorkCount(options.per));
    }
    phases.emplace(meter, kCommandTree, options.phase_marker);
    MODICUM_TRY(tap, OutputTap::Open([this](std::string_view line) {
                  phases->Line(line);
                  if (work) work->Line(line);
                }));
    return {};
  }
  ChildStreams streams() const {
    if (!tap) return {};
    return {tap->child_stdout(), tap->child_stderr()};
  }
  void Stop() {
    if (!tap) return;
    tap->Finish();
    phases->Stop();
  }
  void Finish(EndedRun& ended) {
    if (!tap) return;
    ended.phases = phases->Finish();
    if (!work) return;
    ended.work = RunWork{std::string(work->unit()), work->total()};
    ended.run.tags["work"] =
        fmt::format("{} {}", work->total(), ended.work->unit);
  }
};

// One run of `options.command`, recorded. An int is the exit code of a command
// that did not start.
Result<std::variant<int, EndedRun>> RunOnce(const Context& context,
                                            const RunOptions& options,
                                            const RunSetup& setup,
                                            RunBudget& budget) {
  EndedRun ended;
  ended.run = NewRun(context, options, setup.host);
  const WindowId window = setup.meter->Begin(ended.run.name, kCommandTree);
  OutputReader reader;
  MODICUM_RETURN_IF_ERROR(reader.Open(options, *setup.meter));
  const auto child =
      Child::Start(options.command, reader.streams(),
                   std::string(kRunVariable) + "=" + ended.run.id.text);
  if (!child) return DidNotStart(child.error());
  if (reader.tap) reader.tap->CloseWriteEnds();
  const ChildExit exit = WaitFor(**child, options, setup, ended.run, budget);
  reader.Stop();
  MODICUM_TRY(const WindowReading reading, setup.meter->End(window));
  reader.Finish(ended);
  Finish(ended.run, exit, reading, setup);
  budget.Check(ended.run.bill->energy);
  budget.Settle(ended.run.bill->energy);
  ended.asked = exit.asked;
  ended.kept = Record(options, setup, ended, reading);
  return ended;
}

// The command's own code, on which whoever called it relies. Where that is 0:
// whether a record was lost, or a budget it kept to the end was passed.
int ExitCode(int code, bool kept, const RunBudget& budget) {
  if (code != kExitOk) return code;
  if (!kept) return kExitFailed;
  return budget.passed() ? kExitOverBudget : kExitOk;
}

Result<int> RunAlone(const Context& context, const RunOptions& options,
                     const RunSetup& setup, RunBudget& budget) {
  MODICUM_TRY(const auto outcome, RunOnce(context, options, setup, budget));
  if (const int* code = std::get_if<int>(&outcome)) return *code;
  const auto& ended = std::get<EndedRun>(outcome);
  if (!options.quiet) PrintBill(options, ended);
  const bool written =
      options.json.empty() || Say(WriteJson(options.json, ExtendedJson(ended)));
  return ExitCode(ended.run.exit_code, ended.kept && written, budget);
}

// Repeats of one command, or of two in the order A B, B A, A B, ...: a steady
// drift of the machine then falls on both alike.
class Repeater {
 public:
  Repeater(const Context& context, const RunOptions& options,
           const RunSetup& setup, RunBudget& budget)
      : context_(context), options_(options), setup_(setup), budget_(budget) {}

  Result<int> Run() {
    for (int i = 0; i < options_.repeat; ++i) {
      MODICUM_TRY(const int code, Round(i));
      if (code != kExitOk) return code;
    }
    const RepeatReport report{first_, second_, SameWorkload()};
    if (!options_.quiet) std::fputs(FormatRepeats(report).c_str(), stderr);
    const bool written = options_.json.empty() ||
                         Say(WriteJson(options_.json, RepeatsJson(report)));
    return ExitCode(kExitOk, kept_ && written, budget_);
  }

 private:
  bool SameWorkload() const {
    return options_.compare.empty() ||
           options_.compare[0] == options_.compare[1];
  }

  Result<int> Round(int i) {
    if (options_.compare.empty()) return Once(i, options_.command, "", first_);
    const size_t one = static_cast<size_t>(i % 2);
    for (const size_t which : {one, 1 - one}) {
      MODICUM_TRY(const int code,
                  Once(i, {"sh", "-c", options_.compare[which]},
                       which == 0 ? "A" : "B", which == 0 ? first_ : second_));
      if (code != kExitOk) return code;
    }
    return kExitOk;
  }

  Result<int> Once(int i, std::vector<std::string> command,
                   std::string_view label, std::vector<EndedRun>& runs) {
    if (started_++ > 0 && options_.cooldown > 0 &&
        !WaitFor(Seconds(options_.cooldown), context_.stop))
      return Interrupted(started_ - 1);
    RunOptions once = options_;
    once.command = std::move(command);
    MODICUM_TRY(auto outcome, RunOnce(context_, once, setup_, budget_));
    if (const int* code = std::get_if<int>(&outcome)) return *code;
    auto& ended = std::get<EndedRun>(outcome);
    if (!options_.quiet)
      std::fputs((FormatRepeat(ended, i + 1, options_.repeat, label) +
                  FormatExtras(ended))
                     .c_str(),
                 stderr);
    kept_ &= ended.kept;
    const int code = ExitCode(ended.run.exit_code, true, budget_);
    if (code != kExitOk) PrintStopped(ended, i + 1, code);
    // A command may end well when it is asked to; those after it are not begun.
    if (code == kExitOk && ended.asked && started_ < Runs())
      return Interrupted(started_);
    runs.push_back(std::move(ended));
    return code;
  }

  int Runs() const {
    return options_.repeat * (options_.compare.empty() ? 1 : 2);
  }

  tl::unexpected<Error> Interrupted(int ended) const {
    return Fail(
        ErrorCode::kInterrupted,
        fmt::format("interrupted after run {} of {}: no means are given", ended,
                    Runs()),
        "");
  }

  void PrintStopped(const EndedRun& ended, int number, int code) const {
    if (ended.run.exit_code == kExitOk) {
      PrintError({ErrorCode::kInterrupted,
                  fmt::format("the budget was passed in run {} of {}: no means "
                              "are given",
                              number, options_.repeat),
                  "raise --budget, or lower --repeat"});
      return;
    }
    PrintError(
        {ErrorCode::kInterrupted,
         fmt::format("run {} of {} ended with {}: no means are given", number,
                     options_.repeat, code),
         "`" + PlainText(ended.run.name) + "` must end with 0 each time"});
  }

  const Context& context_;
  const RunOptions& options_;
  const RunSetup& setup_;
  RunBudget& budget_;
  int started_ = 0;
  bool kept_ = true;  // every record
  std::vector<EndedRun> first_;
  std::vector<EndedRun> second_;
};

}  // namespace

Result<int> CmdRun(Context& context, const std::vector<std::string>& args) {
  // Our threads allocate next to nothing: heaps of their own would cost more
  // to set up than a short command takes.
  mallopt(M_ARENA_MAX, 1);
  RunOptions options;
  if (const auto code = ParseRunOptions(args, options)) return *code;
  if (!options.per.empty()) {
    const auto work = MakeWorkCount(options.per);
    if (!work) return UsageError(work.error());
  }
  if (options.hold.asked) {
    // What would be refused is refused now and not after hours.
    MODICUM_RETURN_IF_ERROR(Prepare(context, options));
    options.hold.folder = context.settings.data_dir;
    MODICUM_RETURN_IF_ERROR(
        HoldUntilGreenest(options.hold, context.clock, context.stop, stderr));
  }
  MODICUM_TRY(const RunSetup setup, Prepare(context, options));
  RunBudget budget(options.budget, options.budget_text);
  if (options.repeats()) return Repeater(context, options, setup, budget).Run();
  return RunAlone(context, options, setup, budget);
}

}  // namespace modicum
