// SPDX-License-Identifier: Apache-2.0
// The power of the machine by DCMI, over whatever carries IPMI's messages.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "probe/bmc.h"

namespace modicum {

// A connection to a BMC. Not thread-safe.
class IpmiTransport {
 public:
  virtual ~IpmiTransport() = default;
  // The answer's bytes, the completion code first; kRetry where there is none.
  virtual Result<std::vector<uint8_t>> Send(uint8_t net_function,
                                            uint8_t command,
                                            std::span<const uint8_t> data) = 0;
};

// `where`: "/dev/ipmi0", "192.0.2.7".
std::unique_ptr<BmcMeter> MakeDcmiMeter(
    std::unique_ptr<IpmiTransport> transport, std::string where);

}  // namespace modicum
