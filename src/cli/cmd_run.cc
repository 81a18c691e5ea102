// SPDX-License-Identifier: Apache-2.0
// `modicum run -- CMD`: meters any command, passes its exit code through, and
// keeps the bill.
#include <fmt/format.h>
#include <malloc.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>
#include <thread>

#include "base/file.h"
#include "base/format.h"
#include "base/terminal.h"
#include "base/version.h"
#include "cli/command.h"
#include "cli/equals.h"
#include "cli/instruments.h"
#include "cli/parse.h"
#include "cli/place_settings.h"
#include "cli/print_error.h"
#include "meter/child.h"
#include "meter/meter.h"
#include "record/json.h"
#include "record/ledger.h"
#include "report/bill_report.h"
#include "report/emissions.h"

namespace modicum {
namespace {

// Exit codes that shells and env(1) give when a command did not start.
constexpr int kExitNotFound = 127;
constexpr int kExitCannotRun = 126;

struct RunOptions {
  std::vector<std::string> tag_words;
  std::map<std::string, std::string> tags;
  std::string csv;
  std::string json;
  bool quiet = false;
  bool verbose = false;
  bool live = false;
  bool no_ledger = false;
  std::vector<std::string> command;
};

void Declare(CLI::App& app, RunOptions& options) {
  app.name("modicum run");
  app.add_option("--tag", options.tag_words, "label for the ledger")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--csv", options.csv,
                 "append a row to this file, in CodeCarbon's columns")
      ->type_name("FILE");
  app.add_option("--json", options.json, "write the run as JSON; - is stdout")
      ->type_name("FILE");
  app.add_flag("--quiet", options.quiet, "print no bill");
  app.add_flag("--verbose", options.verbose,
               "also the energy split, every factor and everyday equivalents");
  app.add_flag("--live", options.live,
               "show power once a second even when the command has the screen");
  app.add_flag("--no-ledger", options.no_ledger, "record nothing");
  app.footer(
      "\nThe command's exit code is passed on; 127: not found, 126: cannot be "
      "run,\n128 + N: killed by signal N.\n"
      "Settings such as --region and --ledger go before the --;\n"
      "`modicum doctor --settings` lists them.");
}

Status ParseTags(RunOptions& options) {
  for (const std::string& word : options.tag_words) {
    const size_t equals = word.find('=');
    if (equals == 0 || equals == std::string::npos)
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("--tag {} is not KEY=VALUE", word),
                  "for example --tag team=search");
    options.tags[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return {};
}

// nullopt to go on, else the exit code.
std::optional<int> ParseOptions(const std::vector<std::string>& args,
                                RunOptions& options) {
  CLI::App app(
      "Meters a command: joules, carbon, water, money.\n\n"
      "  modicum run -- python train.py\n"
      "  modicum run --tag team=search --csv emissions.csv -- make -j8\n");
  Declare(app, options);
  const auto end = std::find(args.begin(), args.end(), "--");
  if (const auto code = ParseArgs(app, {args.begin(), end})) return code;
  if (end != args.end()) options.command.assign(end + 1, args.end());
  if (options.command.empty() || options.command[0].empty())
    return UsageError({ErrorCode::kInvalidInput, "no command to run",
                       "put it behind --: modicum run -- python train.py"});
  if (const Status tags = ParseTags(options); !tags)
    return UsageError(tags.error());
  return std::nullopt;
}

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
  // A ledger that cannot be opened is found here, before anything runs.
  static Result<std::unique_ptr<Recorder>> Open(const std::string& path) {
    MODICUM_TRY(auto ledger, Ledger::Open(path, LedgerClose::kFast));
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
struct Setup : Instruments {
  std::unique_ptr<Recorder> recorder;  // null with --no-ledger
};

Result<Setup> Prepare(const Context& context, const RunOptions& options) {
  Setup setup;
  MODICUM_TRY(static_cast<Instruments&>(setup),
              OpenInstruments(context, PlaceQueryOf(context.settings)));
  if (!options.no_ledger) {
    MODICUM_TRY(setup.recorder, Recorder::Open(context.settings.ledger));
  }
  return setup;
}

Run NewRun(const Context& context, const RunOptions& options,
           const HostFacts& host) {
  Run run;
  run.id = NewUuid();
  run.kind = "run";
  run.name = CommandLine(options.command);
  run.project = context.settings.project;
  run.tags = options.tags;
  run.started = context.clock.WallNow();
  run.ended = run.started;
  run.host = host;
  run.version = Version();
  return run;
}

constexpr Subject kCommand{Subject::Kind::kTree, 0};

// "12 s  34 J  2.9 W  0.98 CPUs" on stderr, once a second, while it lives.
class LiveLine {
 public:
  explicit LiveLine(Meter& meter)
      : meter_(meter), thread_([this](const std::stop_token& s) { Loop(s); }) {}

 private:
  void Loop(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      const WindowId second = meter_.Begin("live", kCommand);
      wake.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
      if (const auto reading = meter_.End(second))
        if (!stop.stop_requested()) Show(*reading);
    }
    if (shown_) std::fputs("\r\x1b[K", stderr);
  }
  void Show(const WindowReading& reading) {
    shown_ = true;
    wall_ += reading.wall;
    energy_ += reading.split.own().mid;
    const Watts power = reading.split.own().mid / reading.wall;
    fmt::print(stderr, "\r\x1b[K  {}  {}  {}  {} CPUs", FormatDuration(wall_),
               FormatWithUnit(energy_.value(), "J"),
               FormatWithUnit(power.value(), "W"),
               FormatNumber(reading.cpu / reading.wall));
    std::fflush(stderr);
  }

  Meter& meter_;
  bool shown_ = false;
  Seconds wall_;
  Joules energy_;
  std::jthread thread_;  // last: stops first
};

// A status line would garble a command that draws on the same screen.
bool WantsLiveLine(const RunOptions& options) {
  return !options.quiet && IsTerminal(stderr) &&
         (options.live || !IsTerminal(stdout));
}

// A command that lives longer than this gets a row while it runs.
constexpr Seconds kMoment = Milliseconds(100);

ChildExit WaitFor(Child& child, const RunOptions& options, const Setup& setup,
                  const Run& run) {
  std::optional<LiveLine> live;
  if (WantsLiveLine(options)) live.emplace(*setup.meter);
  if (setup.recorder && !child.EndsWithin(kMoment))
    setup.recorder->PutRunning(run);
  return child.Wait();
}

RunStatus StatusOf(const ChildExit& exit) {
  if (exit.shell_code() == 0) return RunStatus::kOk;
  return exit.asked ? RunStatus::kInterrupted : RunStatus::kFailed;
}

void Finish(Run& run, const ChildExit& exit, const WindowReading& reading,
            const Setup& setup) {
  run.ended = {run.started.micros +
               static_cast<int64_t>(reading.wall.value() * 1e6)};
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

// The raw evidence under the bill.
std::vector<Measurement> Measurements(const Run& run,
                                      const WindowReading& reading) {
  std::vector<Measurement> rows;
  for (const DomainEnergy& domain : reading.domains) {
    Measurement row;
    row.key = {run.id, run.host.boot, "host", rows.size()};
    row.name = "command";
    row.domain = domain.domain.name;
    row.probe = domain.probe;
    row.at = reading.began;
    row.wall = reading.wall;
    row.cpu = reading.cpu;
    row.energy = domain.energy;
    row.contended = reading.contended;
    rows.push_back(std::move(row));
  }
  return rows;
}

Status WriteJson(const std::string& path, const Run& run) {
  const std::string text = ToJsonText(run, JsonStyle::kReadable) + "\n";
  if (path != "-") return WriteFileAtomically(path, text);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return {};
}

// What fails here is said, but the command's exit code stands: it did its
// work, and whoever called it relies on that.
void Record(const RunOptions& options, const Setup& setup, const Run& run,
            const WindowReading& reading) {
  const auto say = [](const Status& status) {
    if (!status) PrintError(status.error());
  };
  if (!options.quiet)
    std::fputs(
        FormatRunBill(run, {.verbose = options.verbose, .indent = ""}).c_str(),
        stderr);
  if (options.verbose && !options.quiet)
    std::fputs(EqualsText(*run.bill).c_str(), stderr);
  if (setup.recorder)
    say(setup.recorder->PutEnded(run, Measurements(run, reading)));
  if (!options.csv.empty()) say(AppendEmissionsRow(options.csv, run));
  if (!options.json.empty()) say(WriteJson(options.json, run));
}

int DidNotStart(const Error& error) {
  PrintError(error);
  return error.code == ErrorCode::kNotFound ? kExitNotFound : kExitCannotRun;
}

}  // namespace

Result<int> CmdRun(Context& context, const std::vector<std::string>& args) {
  // Our threads allocate next to nothing: heaps of their own would cost more
  // to set up than a short command takes.
  mallopt(M_ARENA_MAX, 1);
  RunOptions options;
  if (const auto code = ParseOptions(args, options)) return *code;
  MODICUM_TRY(const Setup setup, Prepare(context, options));
  Run run = NewRun(context, options, setup.host);

  const WindowId window = setup.meter->Begin(run.name, kCommand);
  const auto child = Child::Start(options.command);
  if (!child) return DidNotStart(child.error());
  const ChildExit exit = WaitFor(**child, options, setup, run);
  MODICUM_TRY(const WindowReading reading, setup.meter->End(window));

  Finish(run, exit, reading, setup);
  Record(options, setup, run, reading);
  return exit.shell_code();
}

}  // namespace modicum
