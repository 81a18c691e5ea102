// SPDX-License-Identifier: Apache-2.0
// Answers of services of carbon intensity: what is accepted is CSV with as many
// cells in every line.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "place/grid/grid_answer.h"
#include "place/intensity_series.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modicum;  // NOLINT(google-build-using-namespace)
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(WattTimeToken(text));
  for (const auto& csv :
       {UkCsv(text), ElectricityMapsCsv(text), WattTimeCsv(text)}) {
    if (!csv) continue;
    MODICUM_CHECK(std::count(csv->begin(), csv->end(), ',') ==
                  std::count(csv->begin(), csv->end(), '\n'));
    static_cast<void>(IntensitySeries::Parse(*csv, "answer"));
  }
  return 0;
}
