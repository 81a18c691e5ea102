// SPDX-License-Identifier: Apache-2.0
// What `modicum agent` answers on its socket: its counters, a line of JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "probe/probe.h"

namespace modicum {

// Asks for it: the request, with its line end.
inline constexpr std::string_view kAgentRequest = "counters\n";
// The agent's counters are as old as this at most, and no younger for who asks
// more often.
inline constexpr Seconds kAgentRefresh{0.02};
// A longer line is no answer.
inline constexpr size_t kMostAgentMessage = 256 * 1024;

struct AgentMessage {
  // Of the agent's start: another one's counters begin anew.
  std::string instance;
  std::vector<DomainCounter> counters;
};

// Without a line end.
std::string WriteAgentMessage(const AgentMessage& message);
// kInvalidInput names the member at fault. Members that are not known are
// ignored.
Result<AgentMessage> ParseAgentMessage(std::string_view line);

}  // namespace modicum
