// SPDX-License-Identifier: Apache-2.0
// GET /metrics for Prometheus, GET /health for whoever watches the agent.
#pragma once

#include <memory>
#include <string>

#include "agent/agent_service.h"

namespace modicum {

// Thread-safe.
class HttpEndpoint {
 public:
  // kIo where the address cannot be listened on. Port 0 is any that is free.
  static Result<std::unique_ptr<HttpEndpoint>> Open(const std::string& address,
                                                    int port);
  virtual ~HttpEndpoint() = default;
  // Once. `source` outlives it.
  virtual void Serve(const AgentSource& source) = 0;
  virtual std::string url() const = 0;
};

}  // namespace modicum
