// SPDX-License-Identifier: Apache-2.0
// ReadRFrame on any bytes: refused, or columns of one length whose codes have
// levels, and a table of as many lines.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "dataset/debian/r_frame.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto frame = modicum::ReadRFrame(
      std::string_view(reinterpret_cast<const char*>(data), size));
  if (!frame) return 0;
  MODICUM_CHECK(!frame->empty());
  const size_t rows = (*frame)[0].values.size();
  for (const modicum::RColumn& column : *frame)
    MODICUM_CHECK(column.values.size() == rows);
  const auto table = modicum::TableOfFrame(*frame, (*frame)[0].name);
  if (!table) return 0;
  MODICUM_CHECK(std::count(table->begin(), table->end(), '\n') >=
                static_cast<std::ptrdiff_t>(rows));
  return 0;
}
