// SPDX-License-Identifier: Apache-2.0
#include "probe/agent_probe.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/unix_address.h"

namespace modicum {
namespace {

// One that is slower hangs: the next sample asks again.
constexpr timeval kPatience{0, 500'000};

bool SameDomains(const AgentMessage& a, const AgentMessage& b) {
  return std::equal(a.counters.begin(), a.counters.end(), b.counters.begin(),
                    b.counters.end(), [](const auto& x, const auto& y) {
                      return x.domain.name == y.domain.name &&
                             x.domain.component == y.domain.component &&
                             x.domain.counted == y.domain.counted;
                    });
}

// Energy that `now` has more than `last`, both of one agent.
DomainDelta DeltaOf(const DomainCounter& last, const DomainCounter& now) {
  if (now.failing || now.gaps != last.gaps || now.energy < last.energy)
    return {Joules(0), true};
  return {now.energy - last.energy, false};
}

}  // namespace

AgentProbe::~AgentProbe() { Disconnect(); }

void AgentProbe::Disconnect() {
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
}

Status AgentProbe::Connect() {
  const auto address = UnixAddress(path_);
  if (!address)
    return Fail(ErrorCode::kUnavailable,
                "the agent's socket has too long a path: " + path_);
  socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0)
    return Fail(ErrorCode::kIo,
                std::string("no socket for the agent: ") + strerror(errno));
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&*address),
              sizeof *address) == 0)
    return {};
  const int cause = errno;
  Disconnect();
  if (cause == EACCES || cause == EPERM)
    return Fail(ErrorCode::kPermission,
                "the agent's socket may not be opened: " + path_,
                "it belongs to a group: become a member of it");
  return Fail(ErrorCode::kUnavailable,
              cause == ECONNREFUSED ? "the agent at " + path_ + " has ended"
                                    : "no agent listens at " + path_,
              "an administrator can start one: docs/agent.md");
}

// One line of it.
Result<std::string> AgentProbe::Exchange() {
  if (send(socket_, kAgentRequest.data(), kAgentRequest.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(kAgentRequest.size()))
    return Fail(ErrorCode::kRetry, "the agent at " + path_ + " has ended");
  std::string line;
  char buffer[4096];
  while (!line.ends_with('\n')) {
    const ssize_t count = recv(socket_, buffer, sizeof buffer, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0)
      return Fail(ErrorCode::kRetry,
                  "the agent at " + path_ +
                      (count == 0 ? " has ended" : " does not answer"));
    line.append(buffer, static_cast<size_t>(count));
    if (line.size() > kMostAgentMessage)
      return Fail(ErrorCode::kRetry,
                  "what listens at " + path_ + " is no agent");
  }
  return line;
}

// A connection that failed once may have a late answer on it: it is given up.
Result<AgentMessage> AgentProbe::Ask() {
  if (socket_ < 0) MODICUM_RETURN_IF_ERROR(Connect());
  auto line = Exchange();
  auto message = line ? ParseAgentMessage(*line)
                      : Result<AgentMessage>(Fail(line.error()));
  if (!message) {
    Disconnect();
    return message;
  }
  std::erase_if(message->counters, [](const DomainCounter& counter) {
    return !IsMeasured(counter.domain.origin) ||
           counter.domain.scope == Scope::kDevice;
  });
  return message;
}

Status AgentProbe::TakeDomains() {
  const bool any = std::any_of(
      last_.counters.begin(), last_.counters.end(),
      [](const DomainCounter& counter) { return counter.domain.counted; });
  if (!any)
    return Fail(ErrorCode::kUnavailable,
                "the agent at " + path_ + " has no counter of this machine",
                "`modicum doctor` where it runs says why");
  // All domains err as the one that may be furthest off.
  double worst = -1;
  for (const DomainCounter& counter : last_.counters) {
    domains_.push_back(counter.domain);
    update_period_ = std::max(update_period_, counter.update_period);
    double total = 0;
    for (const Share& error : counter.relative_errors)
      total += error.delta * error.delta;
    if (total <= worst) continue;
    worst = total;
    errors_ = counter.relative_errors;
  }
  return {};
}

Result<std::unique_ptr<Probe>> AgentProbe::Open(const ProbeContext& context) {
  std::unique_ptr<AgentProbe> probe(
      new AgentProbe(context.fs.root() + std::string(kAgentSocket)));
  MODICUM_TRY(probe->last_, probe->Ask());
  MODICUM_RETURN_IF_ERROR(probe->TakeDomains());
  return std::unique_ptr<Probe>(std::move(probe));
}

ProbeReport AgentProbe::Report(const ProbeContext& context) {
  const auto probe = Open(context);
  ProbeReport report = ReportOf("agent", probe);
  if (!probe) return report;
  for (const Domain& domain : (*probe)->domains())
    if (domain.counted)
      report.covers += (report.covers.empty() ? "" : ", ") + domain.name;
  report.reading = "of another process, a new value every 20 ms";
  return report;
}

Result<std::vector<DomainDelta>> AgentProbe::Read(MonotonicTime) {
  auto now = Ask();
  if (!now) {
    Error error = std::move(now).error();
    error.code = ErrorCode::kRetry;  // it may be started again
    return Fail(std::move(error));
  }
  if (!SameDomains(last_, *now))
    return Fail(ErrorCode::kRetry,
                "the agent at " + path_ + " now meters something else");
  std::vector<DomainDelta> deltas;
  const bool same = now->instance == last_.instance;
  for (size_t i = 0; i < domains_.size(); ++i)
    deltas.push_back(same ? DeltaOf(last_.counters[i], now->counters[i])
                          : DomainDelta{Joules(0), true});
  last_ = *std::move(now);
  return deltas;
}

}  // namespace modicum
