// SPDX-License-Identifier: Apache-2.0
#include "probe/bmc/dcmi_message.h"

#include <fmt/format.h>

namespace modicum {
namespace {

constexpr uint8_t kSystemPower = 0x01;
constexpr uint8_t kMeasures = 0x40;  // of the state's bits
// Completion code, group, four powers, time stamp, period, state.
constexpr size_t kSize = 1 + 1 + 8 + 4 + 4 + 1;

uint32_t Number(std::span<const uint8_t> bytes, size_t at, size_t size) {
  uint32_t number = 0;
  for (size_t i = size; i > 0; --i) number = number << 8U | bytes[at + i - 1];
  return number;
}

Watts WattsAt(std::span<const uint8_t> bytes, size_t at) {
  return Watts(Number(bytes, at, 2));
}

// IPMI 2.0, table 5-2.
Error Refused(uint8_t code) {
  constexpr const char* kNone =
      "another way to ask it may be there: docs/sources.md, redfish";
  switch (code) {
    case 0xC1:  // invalid command
    case 0xC2:  // invalid for the LUN
      return {ErrorCode::kUnavailable, "the BMC has no DCMI", kNone};
    case 0xCB:  // not present
    case 0xD5:  // not supported in the present state
      return {ErrorCode::kUnavailable, "the BMC has no power reading", kNone};
    case 0xD4:
      return {ErrorCode::kPermission,
              "the BMC does not let this user read its power",
              "MODICUM_IPMI_PRIVILEGE=operator or admin asks with more"};
    default:
      return {
          ErrorCode::kRetry,
          fmt::format("the BMC answered with completion code 0x{:02X}", code),
          ""};
  }
}

}  // namespace

std::array<uint8_t, 4> DcmiPowerRequest() {
  return {kDcmiGroup, kSystemPower, 0, 0};
}

Result<DcmiPower> ParseDcmiPower(std::span<const uint8_t> answer) {
  if (answer.empty())
    return Fail(ErrorCode::kInvalidInput, "the BMC's answer is empty");
  if (answer[0] != 0) return Fail(Refused(answer[0]));
  if (answer.size() < kSize || answer[1] != kDcmiGroup)
    return Fail(ErrorCode::kInvalidInput,
                "the BMC's answer is none of DCMI's Get Power Reading");
  if ((answer[kSize - 1] & kMeasures) == 0)
    return Fail(ErrorCode::kUnavailable, "the BMC's power measurement is off",
                "its firmware's settings turn it on");
  DcmiPower power;
  power.now = WattsAt(answer, 2);
  power.least = WattsAt(answer, 4);
  power.most = WattsAt(answer, 6);
  power.mean = WattsAt(answer, 8);
  power.over = Milliseconds(Number(answer, 14, 4));
  // A sensor that is not there reads so.
  if (power.now == Watts(0))
    return Fail(ErrorCode::kUnavailable, "the BMC reads 0 W",
                "it may have no power sensor");
  return power;
}

}  // namespace modicum
