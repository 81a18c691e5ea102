// SPDX-License-Identifier: Apache-2.0
// `modicum watch`: who uses the watts of this machine, live.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/terminal.h"
#include "base/wait.h"
#include "cli/command.h"
#include "cli/parse.h"
#include "cli/print_error.h"
#include "cli/screen.h"
#include "cli/watch_metrics.h"
#include "cli/watch_record.h"
#include "cli/watch_view.h"
#include "cli/watcher.h"
#include "hardware/machine.h"
#include "meter/instruments.h"
#include "place/place_settings.h"

namespace modicum {
namespace {

struct WatchOptions {
  std::string by_name = "process";
  std::string user;
  WatchFilter filter;
  double interval = 2;
  int64_t count = 0;  // 0: until interrupted
  size_t rows = 20;
  bool once = false;
  bool host = false;
  bool json = false;
  bool record = false;
  std::string textfile;
};

void Declare(CLI::App& app, WatchOptions& options) {
  app.name("modicum watch");
  app.add_option("--by", options.by_name,
                 "a row for each process, command, cgroup (container, pod, "
                 "Slurm job, unit), user, or value of a tag of the charge "
                 "rules")
      ->capture_default_str();
  app.add_option("--pid", options.filter.root,
                 "this process and its descendants, until all have ended; the "
                 "rest is one row")
      ->type_name("PID")
      ->check(CLI::PositiveNumber);
  app.add_option("--cgroup", options.filter.cgroup,
                 "this path and below, or all whose name has this text");
  app.add_option("--user", options.user, "processes of this user");
  app.add_flag("--host", options.host, "the machine alone, no rows");
  app.add_option("--interval", options.interval, "seconds between rows")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 3600.0));
  app.add_option("--count", options.count, "end after so many intervals")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000'000}));
  app.add_flag("--once", options.once, "one interval");
  app.add_option("--rows", options.rows, "rows at most; the rest is summed")
      ->capture_default_str()
      ->check(CLI::Range(size_t{1}, size_t{100'000}));
  app.add_flag(
      "--json", options.json,
      "a line of JSON for each interval, with every row (--host: none)");
  app.add_flag("--record", options.record,
               "keep it in the ledger: a run for each row and hour");
  app.add_option("--textfile", options.textfile,
                 "write Prometheus metrics here after each interval, for "
                 "node_exporter's textfile collector")
      ->type_name("FILE");
  app.footer(
      "\nOn a terminal: q quits, g goes through --by, s sorts by power or by "
      "energy so far.");
}

// Keys change what is shown; a pipe gets it as it was asked for.
class WatchLoop {
 public:
  WatchLoop(Context& context, const WatchOptions& options,
            const Instruments& instruments, IdlePolicy policy, WatchBy by,
            ChargeRules rules)
      : context_(context),
        options_(options),
        instruments_(instruments),
        policy_(policy),
        tag_(by.kind() == WatchBy::kTag ? by.name() : ""),
        watcher_(context.fs, options.filter, policy, std::move(rules),
                 ExitsOrNone(context.fs)),
        not_counted_(
            NotCounted(instruments.host, instruments.meter->components())) {
    view_.by = std::move(by);
    view_.rows = options.host ? 0 : options.rows;
  }

  Result<int> Run() {
    if (options_.record) {
      MODICUM_TRY(auto ledger, Ledger::Open(context_.settings.ledger));
      recorder_.emplace(std::move(ledger), instruments_,
                        context_.settings.project, policy_);
    }
    const Result<int> code = Intervals();
    if (recorder_) MODICUM_RETURN_IF_ERROR(recorder_->Finish());
    return code;
  }

 private:
  Result<int> Intervals() {
    if (!options_.json && IsTerminal(stdout) && options_.count != 1)
      screen_.emplace();
    MODICUM_RETURN_IF_ERROR(watcher_.Start());
    for (int64_t i = 0; options_.count == 0 || i < options_.count; ++i) {
      const WindowId window =
          instruments_.meter->Begin("watch", {Subject::Kind::kMachine});
      const bool goes_on = Wait();
      const auto reading = instruments_.meter->End(window);
      // An interval that was cut short is shown where none else was.
      if (!goes_on && i > 0) break;
      if (!reading) return Fail(reading.error());
      frame_by_ = view_.by;
      MODICUM_TRY(WatchFrame frame, watcher_.Next(*reading, frame_by_));
      MODICUM_RETURN_IF_ERROR(Keep(frame));
      Show(std::move(frame));
      // Nobody reads any more: main reports what else it may be.
      if (!goes_on || std::ferror(stdout) != 0) break;
      if (watcher_.ended()) return SayEnded();
    }
    return kExitOk;
  }

  int SayEnded() {
    screen_.reset();
    fmt::print(stderr,
               "modicum: process {} has ended, and all that it started\n",
               *options_.filter.root);
    return kExitOk;
  }

  Status Keep(const WatchFrame& frame) {
    if (recorder_) MODICUM_RETURN_IF_ERROR(recorder_->Add(frame, frame_by_));
    if (options_.textfile.empty()) return {};
    metrics_.Add(frame, frame_by_, PlaceOf(frame));
    return WriteFileAtomically(options_.textfile,
                               PrometheusText(metrics_.Families()));
  }

  Place PlaceOf(const WatchFrame& frame) const {
    return instruments_.PlaceIn(frame.used());
  }

  // False when it should end.
  bool Wait() {
    const Seconds interval(options_.interval);
    if (!screen_) return WaitFor(interval, context_.stop);
    const MonotonicTime began = context_.clock.Now();
    while (true) {
      const Seconds left = interval - (context_.clock.Now() - began);
      const auto key = screen_->Key(left, context_.stop);
      if (key == 'q' || context_.stop.stop_requested()) return false;
      if (!key) return true;
      if (key == 's') view_.by_energy = !view_.by_energy;
      // What is kept is kept by one thing.
      if (key == 'g' && !recorder_ && options_.textfile.empty())
        view_.by = view_.by.Next(tag_);
      if (last_) Draw(*last_);
    }
  }

  void Show(WatchFrame frame) {
    if (options_.host) frame.rows.clear();
    if (options_.json) {
      const std::string line =
          WatchJson(frame, view_.by, PlaceOf(frame), policy_, not_counted_)
              .dump() +
          "\n";
      std::fwrite(line.data(), 1, line.size(), stdout);
      std::fflush(stdout);
      return;
    }
    if (screen_) {
      last_ = std::move(frame);
      Draw(*last_);
      return;
    }
    const std::string text =
        FormatWatch(frame, view_, PlaceOf(frame), not_counted_) +
        (options_.count == 1 ? "" : "\n");
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

  void Draw(const WatchFrame& frame) {
    WatchView view = view_;
    view.by = frame_by_;  // the next frame has the new rows
    view.columns = screen_->columns();
    // The head, the table's head, the sum of the rest and the last line.
    const size_t head = 12 + frame.warnings.size() + not_counted_.size();
    view.rows = options_.host
                    ? 0
                    : screen_->rows() - std::min(screen_->rows() - 1, head);
    screen_->Draw(FormatWatch(frame, view, PlaceOf(frame), not_counted_) +
                  "\nq quit   g by " + std::string(view_.by.name()) +
                  "   s by " + (view_.by_energy ? "energy" : "power") + "\n");
  }

  Context& context_;
  const WatchOptions& options_;
  const Instruments& instruments_;
  const IdlePolicy policy_;
  const std::string tag_;  // of the rules, when asked for
  Watcher watcher_;
  const std::vector<std::string> not_counted_;
  WatchView view_;
  std::optional<WatchFrame> last_;
  WatchBy frame_by_{WatchBy::kProcess};  // of the last frame
  std::optional<WatchRecorder> recorder_;
  WatchMetrics metrics_;
  std::optional<Screen> screen_;
};

Status FindUser(const Context& context, WatchOptions& options) {
  if (options.user.empty()) return {};
  options.filter.user = UserNames(context.fs).Find(options.user);
  if (!options.filter.user)
    return Fail(ErrorCode::kInvalidInput,
                "--user: there is no user '" + options.user + "'",
                "name one of /etc/passwd, or a user's number");
  return {};
}

Status FindPid(const Context& context, const WatchOptions& options) {
  if (!options.filter.root ||
      context.fs.Exists("/proc/" + std::to_string(*options.filter.root)))
    return {};
  return Fail(
      ErrorCode::kNotFound,
      "--pid: there is no process " + std::to_string(*options.filter.root),
      "`modicum watch --once` shows those that there are");
}

}  // namespace

Result<int> CmdWatch(Context& context, const std::vector<std::string>& args) {
  WatchOptions options;
  CLI::App app{
      "Shows who uses the watts of this machine. Rows, idle and unattributed "
      "energy sum\nto what was measured.\n\n"
      "  modicum watch                         live, by process\n"
      "  modicum watch --by cgroup --once      containers, jobs, units: once\n"
      "  modicum watch --user alice --json     JSON lines for a script"};
  Declare(app, options);
  if (const auto code = ParseArgs(app, args)) return *code;
  if (options.once) options.count = 1;
  MODICUM_TRY(auto rules, ChargeRules::Read(context.settings.charge_rules));
  const auto by = WatchBy::Parse(options.by_name, rules);
  if (!by) return UsageError(by.error());
  if (!options.textfile.empty() && by->kind() == WatchBy::kProcess)
    return UsageError({ErrorCode::kInvalidInput,
                       "--textfile: every process would be a series of its own",
                       "add --by command, cgroup or user"});
  if (const Status user = FindUser(context, options); !user)
    return UsageError(user.error());
  MODICUM_RETURN_IF_ERROR(FindPid(context, options));
  MODICUM_TRY(const IdlePolicy policy,
              ParseIdlePolicy(context.settings.idle_policy));
  MODICUM_TRY(const Instruments instruments,
              OpenInstruments(context.settings, PlaceQueryOf(context.settings),
                              context.fs, context.clock));
  return WatchLoop(context, options, instruments, policy, *by, std::move(rules))
      .Run();
}

}  // namespace modicum
