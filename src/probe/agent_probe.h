// SPDX-License-Identifier: Apache-2.0
// The counters of a running `modicum agent`: who may not read the machine's
// own meters with them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "probe/agent_message.h"
#include "probe/probe.h"

namespace modicum {

// Where the agent listens unless it is told otherwise.
inline constexpr std::string_view kAgentSocket = "/run/modicum/agent.sock";

// The agent's counted domains and those inside of them, apart from devices,
// which everybody can read with more detail. An agent that is started anew in
// between is a gap.
class AgentProbe final : public Probe {
 public:
  // kUnavailable where none listens, kPermission where it may not be asked.
  static Result<std::unique_ptr<Probe>> Open(const ProbeContext& context);
  static ProbeReport Report(const ProbeContext& context);
  ~AgentProbe() override;

  std::string_view name() const override { return "agent"; }
  std::span<const Domain> domains() const override { return domains_; }
  Result<std::vector<DomainDelta>> Read(MonotonicTime now) override;
  std::vector<Share> relative_errors() const override { return errors_; }
  std::optional<Estimate<Watts>> idle_power() const override {
    return std::nullopt;
  }
  Seconds update_period() const override { return update_period_; }

 private:
  explicit AgentProbe(std::string path) : path_(std::move(path)) {}
  Status Connect();
  void Disconnect();
  // The agent's present answer, of one that has `domains_`.
  Result<AgentMessage> Ask();
  Result<std::string> Exchange();
  Status TakeDomains();

  const std::string path_;
  int socket_ = -1;
  AgentMessage last_;
  std::vector<Domain> domains_;
  std::vector<Share> errors_;
  Seconds update_period_;
};

}  // namespace modicum
