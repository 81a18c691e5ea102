// SPDX-License-Identifier: Apache-2.0
// The IPMI command "Get Power Reading" as DCMI has it (Data Center
// Manageability Interface Specification 1.5, 6.6.1).
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "base/units.h"

namespace modicum {

inline constexpr uint8_t kDcmiNetFunction = 0x2C;  // group extension
inline constexpr uint8_t kDcmiGroup = 0xDC;
inline constexpr uint8_t kDcmiGetPowerReading = 0x02;

struct DcmiPower {
  Watts now;
  Watts least, most, mean;  // over `over`
  Seconds over;
};

// The request's bytes: the mode is that of system power statistics.
std::array<uint8_t, 4> DcmiPowerRequest();

// An answer with its completion code first. kUnavailable where the BMC has no
// DCMI or does not measure, kPermission where the user may not ask, kRetry
// where it is busy, kInvalidInput for what is no answer.
Result<DcmiPower> ParseDcmiPower(std::span<const uint8_t> answer);

}  // namespace modicum
