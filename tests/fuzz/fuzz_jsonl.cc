// SPDX-License-Identifier: Apache-2.0
// JsonLineReader: any line is read or refused, and reading is repeatable.
#include <cstdlib>

#include "dataset/json_line.h"
#include "dataset/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using modicum::JsonLineReader;
  static JsonLineReader reader;
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const std::string_view keys[] = {"text", "label"};
  std::optional<std::string> values[2], again[2];
  if (!reader.Read(line, keys, values)) return 0;
  for (const auto& value : values)
    if (value && modicum::FirstBadByte(*value) != std::string::npos)
      std::abort();
  if (!reader.Keys(line) || !JsonLineReader().Read(line, keys, again) ||
      values[0] != again[0] || values[1] != again[1])
    std::abort();
  return 0;
}
