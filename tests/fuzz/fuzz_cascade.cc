// SPDX-License-Identifier: Apache-2.0
// cascade.json: what is accepted is written and read again without a change,
// and names no folder but those below.
#include <cstdint>
#include <string>

#include "model/cascade.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto stages = modicum::DecodeCascade(text);
  if (!stages) return 0;
  const std::string written = modicum::EncodeCascade(*stages);
  const auto again = modicum::DecodeCascade(written);
  MODICUM_CHECK(again.has_value());
  MODICUM_CHECK(modicum::EncodeCascade(*again) == written);
  for (const auto& stage : *stages)
    MODICUM_CHECK(stage.folder.find_first_of("./") == std::string::npos);
  return 0;
}
