// SPDX-License-Identifier: Apache-2.0
// A BMC's answer to Get Power Reading: what is accepted is a power.
#include <cstddef>
#include <cstdint>

#include "probe/bmc/dcmi_message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modicum;  // NOLINT(google-build-using-namespace)
  const auto power = ParseDcmiPower({data, size});
  if (!power) {
    MODICUM_CHECK(!power.error().message.empty());
    return 0;
  }
  MODICUM_CHECK(size >= 19 && data[0] == 0 && data[1] == kDcmiGroup);
  MODICUM_CHECK(power->now > Watts(0) && power->now <= Watts(65'535));
  MODICUM_CHECK(power->over >= Seconds(0));
  return 0;
}
