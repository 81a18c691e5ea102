// SPDX-License-Identifier: Apache-2.0
// `modicum agent`: meters this machine for all others, until it is stopped.
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "agent/agent_service.h"
#include "base/privileges.h"
#include "base/unix_address.h"
#include "base/wait.h"
#include "cli/command.h"
#include "cli/parse.h"
#include "cli/print_error.h"
#include "cli/watch_metrics.h"
#include "cli/watch_record.h"
#include "cli/watcher.h"
#include "meter/instruments.h"
#include "meter/words.h"
#include "place/place_settings.h"
#include "probe/agent_message.h"
#include "probe/agent_probe.h"

namespace modicum {
namespace {

constexpr std::string_view kNone = "none";

struct AgentFlags {
  std::string listen = "127.0.0.1:9464";
  std::string socket{kAgentSocket};
  std::string otlp;
  double otlp_interval = 60;
  std::string by_name = "cgroup";
  double interval = 5;
  bool record = false;
  std::string user;
};

void Declare(CLI::App& app, AgentFlags& flags) {
  app.name("modicum agent");
  app.add_option("--listen", flags.listen,
                 "where GET /metrics and /health answer, or none")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  app.add_option("--socket", flags.socket,
                 "where programs without permission read the counters, or none")
      ->type_name("PATH")
      ->capture_default_str();
  app.add_option("--otlp", flags.otlp,
                 "push the metrics to this OpenTelemetry collector too (OTLP "
                 "over HTTP, JSON); $OTEL_EXPORTER_OTLP_HEADERS goes with it")
      ->type_name("URL");
  app.add_option("--otlp-interval", flags.otlp_interval,
                 "seconds between pushes")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 3600.0));
  app.add_option("--by", flags.by_name,
                 "a series for each command, cgroup (container, pod, Slurm "
                 "job, unit), user, or value of a tag of the charge rules")
      ->capture_default_str();
  app.add_option("--interval", flags.interval, "seconds between looks")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 3600.0));
  app.add_flag("--record", flags.record,
               "keep it in the ledger: a run for each series and hour");
  app.add_option("--user", flags.user,
                 "become this user as soon as every source is open")
      ->type_name("NAME");
}

// "127.0.0.1:9464", "[::1]:9464".
Status ParseListen(const std::string& text, AgentOptions& options) {
  if (text == kNone) {
    options.address.clear();
    return {};
  }
  const size_t colon = text.rfind(':');
  std::string address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']'))
    address = address.substr(1, address.size() - 2);
  uint16_t port = 0;
  if (colon == std::string::npos || address.empty() ||
      !ParseNumber(std::string_view(text).substr(colon + 1), port))
    return Fail(ErrorCode::kInvalidInput,
                "--listen: '" + text + "' is not ADDRESS:PORT",
                "for example 127.0.0.1:9464, or none");
  options.address = std::move(address);
  options.port = port;
  return {};
}

void Say(const std::string& text) {
  std::fputs(("modicum agent: " + text + "\n").c_str(), stderr);
}

// Tells systemd that all is open: sd_notify(3).
void NotifyReady() {
  const char* path = std::getenv("NOTIFY_SOCKET");
  const std::string_view name = path == nullptr ? "" : path;
  auto address = UnixAddress(name);
  if (name.empty() || !address) return;
  if (address->sun_path[0] == '@') address->sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  constexpr std::string_view kReady = "READY=1";
  sendto(fd, kReady.data(), kReady.size(), MSG_NOSIGNAL,
         reinterpret_cast<const sockaddr*>(&*address),
         static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size()));
  close(fd);
}

// What the service's threads ask for. Thread-safe.
class Latest {
 public:
  Latest(Meter& meter, Clock& clock, Seconds interval)
      : meter_(meter), clock_(clock), interval_(interval) {}

  void Set(std::vector<MetricFamily> families) {
    const std::lock_guard lock(mutex_);
    families_ = std::move(families);
    at_ = clock_.Now();
  }

  AgentSource Source() {
    return {[this] {
              const std::lock_guard lock(mutex_);
              return families_;
            },
            [this] { return CountersText(); },
            [this] {
              const std::lock_guard lock(mutex_);
              // Before the first interval has ended, too.
              return clock_.Now() - at_ < interval_ * 3 + kSlack;
            },
            Say};
  }

 private:
  static constexpr Seconds kSlack{5};

  std::string CountersText() {
    AgentMessage message{instance_, meter_.Counters(kAgentRefresh)};
    for (DomainCounter& counter : message.counters)
      counter.update_period = std::max(counter.update_period, kAgentRefresh);
    return WriteAgentMessage(message);
  }

  Meter& meter_;
  Clock& clock_;
  const Seconds interval_;
  const std::string instance_ = NewUuid().text;
  std::mutex mutex_;
  std::vector<MetricFamily> families_;
  MonotonicTime at_ = clock_.Now();
};

class Agent {
 public:
  Agent(Context& context, const AgentFlags& flags,
        const Instruments& instruments, IdlePolicy policy, WatchBy by,
        ChargeRules rules, std::unique_ptr<ExitSource> exits)
      : context_(context),
        flags_(flags),
        instruments_(instruments),
        policy_(policy),
        interval_(flags.interval),
        by_(std::move(by)),
        watcher_(context.fs, {}, policy, std::move(rules), std::move(exits)),
        latest_(*instruments.meter, context.clock, interval_) {}

  Result<int> Run(std::unique_ptr<AgentService> service) {
    if (flags_.record) {
      MODICUM_TRY(auto ledger, Ledger::Open(context_.settings.ledger));
      recorder_.emplace(std::move(ledger), instruments_,
                        context_.settings.project, policy_);
    }
    MODICUM_RETURN_IF_ERROR(watcher_.Start());
    service->Serve(latest_.Source());
    NotifyReady();
    while (!context_.stop.stop_requested()) Look();
    service.reset();
    if (recorder_) MODICUM_RETURN_IF_ERROR(recorder_->Finish());
    return kExitOk;
  }

 private:
  void Look() {
    Meter& meter = *instruments_.meter;
    const WindowId window = meter.Begin("agent", {Subject::Kind::kMachine});
    WaitFor(interval_, context_.stop);
    const auto reading = meter.End(window);
    Note(reading ? Take(*reading) : Status(Fail(reading.error())));
  }

  Status Take(const WindowReading& reading) {
    MODICUM_TRY(const WatchFrame frame, watcher_.Next(reading, by_));
    metrics_.Add(frame, by_, instruments_.PlaceIn(frame.used()));
    latest_.Set(metrics_.Families());
    return recorder_ ? recorder_->Add(frame, by_) : Status();
  }

  // One that lasts is said once: it does not end what others rely on.
  void Note(const Status& status) {
    if (status.has_value() != failing_) return;
    failing_ = !status;
    Say(status ? "all is well again" : status.error().message);
  }

  Context& context_;
  const AgentFlags& flags_;
  const Instruments& instruments_;
  const IdlePolicy policy_;
  const Seconds interval_;
  const WatchBy by_;
  Watcher watcher_;
  WatchMetrics metrics_;
  Latest latest_;
  std::optional<WatchRecorder> recorder_;
  bool failing_ = false;
};

std::string SourcesText(Meter& meter) {
  std::string text;
  for (const DomainCounter& counter : meter.Counters(Seconds(1)))
    if (counter.domain.counted)
      text += fmt::format("{}{} ({}, {})", text.empty() ? "" : ", ",
                          counter.domain.name, counter.probe,
                          OriginName(counter.domain.origin));
  return text;
}

Result<AgentOptions> OptionsOf(const AgentFlags& flags) {
  AgentOptions options;
  MODICUM_RETURN_IF_ERROR(ParseListen(flags.listen, options));
  if (flags.socket != kNone) options.socket = flags.socket;
  options.otlp = flags.otlp;
  options.otlp_period = Seconds(flags.otlp_interval);
  const char* headers = std::getenv("OTEL_EXPORTER_OTLP_HEADERS");
  if (headers != nullptr) options.otlp_headers = headers;
  char host[256] = "";
  if (gethostname(host, sizeof host - 1) == 0) options.host = host;
  return options;
}

}  // namespace

Result<int> CmdAgent(Context& context, const std::vector<std::string>& args) {
  AgentFlags flags;
  CLI::App app{
      "Meters this machine for all others: Prometheus and OpenTelemetry read "
      "metrics,\nprograms without permission the counters. Runs until it is "
      "stopped.\n\n"
      "  modicum agent --user nobody           as root, which it then gives "
      "up\n"
      "  modicum agent --socket none --otlp http://127.0.0.1:4318"};
  Declare(app, flags);
  if (const auto code = ParseArgs(app, args)) return *code;
  MODICUM_TRY(auto rules, ChargeRules::Read(context.settings.charge_rules));
  const auto by = WatchBy::Parse(flags.by_name, rules);
  if (!by) return UsageError(by.error());
  if (by->kind() == WatchBy::kProcess)
    return UsageError({ErrorCode::kInvalidInput,
                       "--by: every process would be a series of its own",
                       "use command, cgroup or user"});
  const auto options = OptionsOf(flags);
  if (!options) return UsageError(options.error());
  if (options->address.empty() && options->socket.empty() &&
      options->otlp.empty() && !flags.record)
    return UsageError({ErrorCode::kInvalidInput,
                       "with --listen none and --socket none there is nobody "
                       "to meter for",
                       "leave one of them out, or add --otlp URL or --record"});
  MODICUM_TRY(const IdlePolicy policy,
              ParseIdlePolicy(context.settings.idle_policy));
  // What needs permission first, then it is given up, then there are threads.
  auto service = OpenAgentService(*options);
  if (!service && service.error().code == ErrorCode::kInvalidInput)
    return UsageError(service.error());
  if (!service) return Fail(service.error());
  auto exits = ExitsOrNone(context.fs);
  MODICUM_TRY(const Instruments instruments,
              OpenInstruments(context.settings, PlaceQueryOf(context.settings),
                              context.fs, context.clock, false,
                              [&] { return DropPrivileges(flags.user); }));
  Say("meters " + SourcesText(*instruments.meter));
  if (!(*service)->url().empty()) Say("serves " + (*service)->url());
  if (!options->socket.empty())
    Say("has its counters on " + options->socket +
        ", for all who may reach it");
  if (geteuid() == 0) Say("is root; --user NAME gives that up");
  return Agent(context, flags, instruments, policy, *by, std::move(rules),
               std::move(exits))
      .Run(*std::move(service));
}

}  // namespace modicum
