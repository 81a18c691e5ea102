// SPDX-License-Identifier: Apache-2.0
// The parser of intensity series, and windows in what it read, on any bytes.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "place/intensity_series.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using modicum::Hours;
  const auto series = modicum::IntensitySeries::Parse(
      {reinterpret_cast<const char*>(data), size}, "series");
  if (!series) {
    MODICUM_CHECK(!series.error().message.empty());
    return 0;
  }
  MODICUM_CHECK(series->begin() < series->end());
  const auto windows = modicum::StartWindows(*series, series->begin(),
                                             series->step(), Hours(48));
  if (!windows) return 0;
  for (const modicum::StartWindow& window : *windows)
    MODICUM_CHECK(std::isfinite(window.mean.value()) &&
                  window.mean >= windows->front().mean &&
                  window.mean.value() > 0);
  return 0;
}
