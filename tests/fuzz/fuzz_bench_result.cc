// SPDX-License-Identifier: Apache-2.0
// Any bytes are refused, or are a benchmark's result that reads back the same
// and can be rated, merged with itself and shown.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bench/merge.h"
#include "bench/stars.h"
#include "report/bench_html.h"
#include "report/bench_report.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modicum;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto result = ParseBenchResult(text);
  if (!result) return 0;
  const std::string once = FormatBenchJson(*result);
  const auto back = ParseBenchResult(once);
  MODICUM_CHECK(back.has_value());
  MODICUM_CHECK(FormatBenchJson(*back) == once);
  RateRows(*result, nullptr);
  const std::vector<NamedBench> twice = {{"a", *result}, {"b", *back}};
  static_cast<void>(MergeBenches(twice));
  MODICUM_CHECK(!FormatBench(*result).empty());
  MODICUM_CHECK(!FormatBenchCsv(*result).empty());
  MODICUM_CHECK(!FormatBenchHtml(*result).empty());
  return 0;
}
