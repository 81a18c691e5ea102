// SPDX-License-Identifier: Apache-2.0
// card.json: what is accepted is written and read again without a change.
#include <cstdint>
#include <string>

#include "model/artifact.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto card = modicum::ParseCard(text);
  if (!card) return 0;
  const std::string written = modicum::FormatCard(*card);
  const auto again = modicum::ParseCard(written);
  MODICUM_CHECK(again.has_value());
  MODICUM_CHECK(modicum::FormatCard(*again) == written);
  (void)modicum::FormatCardMarkdown(*card);
  return 0;
}
