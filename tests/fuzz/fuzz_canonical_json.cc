// SPDX-License-Identifier: Apache-2.0
// The canonical form of any JSON is JSON of the same value, and its own
// canonical form.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"
#include "record/receipt.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using nlohmann::json;
  // Deeper nesting than a receipt may have is refused before.
  int depth = 0;
  for (size_t i = 0; i < size; ++i) {
    if ((data[i] == '[' || data[i] == '{') && ++depth > 200) return 0;
    if (data[i] == ']' || data[i] == '}') --depth;
  }
  const json value =
      json::parse(data, data + size, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return 0;
  const std::string once = modicum::CanonicalJson(value);
  const json back = json::parse(once, nullptr, /*allow_exceptions=*/false);
  MODICUM_CHECK(!back.is_discarded());
  MODICUM_CHECK(modicum::CanonicalJson(back) == once);
  return 0;
}
