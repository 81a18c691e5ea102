// SPDX-License-Identifier: Apache-2.0
// What `modicum agent` offers to others: metrics over HTTP and OTLP, counters
// on a local socket. In a module, libmodicum-agent.so: HTTP costs the program
// nothing where nobody asks for it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/units.h"

namespace modicum {

struct AgentOptions {
  std::string address = "127.0.0.1";  // of HTTP; "": none
  int port = 9464;                    // 0: any that is free
  std::string socket;                 // path; "": none
  std::string otlp;                   // URL of a collector; "": none
  // Further headers of OTLP, as OTEL_EXPORTER_OTLP_HEADERS has them:
  // "name=value,name=value".
  std::string otlp_headers;
  Seconds otlp_period{60};
  std::string host;  // its name, for OTLP
};

// Whom the service asks. Called from its threads; all of them thread-safe.
struct AgentSource {
  std::function<std::vector<MetricFamily>()> metrics;
  std::function<std::string()> counters;  // see probe/agent_message.h
  // Whether `metrics` is of the last few intervals.
  std::function<bool()> healthy;
  // What went wrong, or is right again, for the log.
  std::function<void(const std::string&)> say;
};

// Listens when it is opened, answers from Serve() on and until it goes.
class AgentService {
 public:
  virtual ~AgentService() = default;
  // Once.
  virtual void Serve(AgentSource source) = 0;
  // "http://127.0.0.1:9464/metrics"; "" without HTTP.
  virtual std::string url() const = 0;
};

// The agent's module opened, and the addresses taken. kUnavailable without the
// module, kIo where an address or a path is taken or not ours, kInvalidInput
// for an impossible one.
Result<std::unique_ptr<AgentService>> OpenAgentService(
    const AgentOptions& options);

// What the module exports, as "modicum_agent"; kAgentAbi as
// "modicum_agent_abi".
using OpenAgentFunction =
    Result<std::unique_ptr<AgentService>> (*)(const AgentOptions&);
inline constexpr char kAgentAbi[] = "modicum-agent 1, " __VERSION__;

}  // namespace modicum
