// SPDX-License-Identifier: Apache-2.0
// An agent's answer: what is accepted is written and read back the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "probe/agent_message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modicum;  // NOLINT(google-build-using-namespace)
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto message = ParseAgentMessage(text);
  if (!message) return 0;
  for (const DomainCounter& counter : message->counters)
    MODICUM_CHECK(counter.energy >= Joules(0) && counter.gaps >= 0);
  const std::string written = WriteAgentMessage(*message);
  const auto again = ParseAgentMessage(written);
  MODICUM_CHECK(again && WriteAgentMessage(*again) == written);
  return 0;
}
