// SPDX-License-Identifier: Apache-2.0
// A command's output, any bytes in any pieces: counts never fall.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cli/work_count.h"
#include "meter/output_tap.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t piece = size == 0 ? 1 : size_t{1} + data[0];
  for (const char* const spec : {"token", "image", "([0-9.]+)", "e"}) {
    auto count = modicum::MakeWorkCount(spec);
    if (!count) __builtin_trap();
    double last = 0;
    const auto on_line = [&](std::string_view line) {
      (*count)->Line(line);
      // Also when it is not a number.
      if (!((*count)->total() >= last)) __builtin_trap();
      last = (*count)->total();
    };
    modicum::LineCutter lines;
    for (size_t at = 0; at < size; at += piece)
      lines.Add(text.substr(at, piece), on_line);
    lines.Finish(on_line);
  }
  return 0;
}
