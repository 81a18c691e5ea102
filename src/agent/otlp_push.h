// SPDX-License-Identifier: Apache-2.0
// Sends the metrics to an OpenTelemetry collector, again and again.
#pragma once

#include <memory>

#include "agent/agent_service.h"

namespace modicum {

// Sums are cumulative: what a failed push had, the next one has too. The log
// tells when a collector begins to fail and when it is back. Thread-safe.
class OtlpPush {
 public:
  // kInvalidInput for an URL or headers that cannot be.
  static Result<std::unique_ptr<OtlpPush>> Open(const AgentOptions& options);
  virtual ~OtlpPush() = default;
  // Once. `source` outlives it.
  virtual void Serve(const AgentSource& source) = 0;
};

}  // namespace modicum
