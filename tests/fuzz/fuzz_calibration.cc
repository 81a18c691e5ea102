// SPDX-License-Identifier: Apache-2.0
// A table of calibrations: what is accepted reads back the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "hardware/calibration.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modicum;  // NOLINT(google-build-using-namespace)
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto found = FindCalibration(text, "c.csv", "a");
  if (!found) return 0;
  const auto again = WithCalibration(text, "c.csv", "a", *found);
  MODICUM_CHECK(again.has_value());
  const auto back = FindCalibration(*again, "c.csv", "a");
  MODICUM_CHECK(back && back->has_value() == found->has_value());
  if (*found) MODICUM_CHECK((**back).idle == (**found).idle);
  return 0;
}
