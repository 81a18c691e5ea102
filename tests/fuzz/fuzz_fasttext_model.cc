// SPDX-License-Identifier: Apache-2.0
// The structure check of a fastText file, which stands before the library.
#include <cstdint>
#include <string_view>

#include "model/fasttext/fasttext_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modicum;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const size_t labels : {2U, 100U}) {
    const auto shape = CheckFastTextFile(bytes, labels);
    if (!shape) continue;
    // Every number it promises is there.
    MODICUM_CHECK(shape->labels <= labels);
    const uint64_t width = shape->quantised ? 1 : sizeof(float);
    MODICUM_CHECK(shape->parameters * width < size);
    MODICUM_CHECK(shape->words + shape->buckets < size);
  }
  (void)CleanForFastText(bytes);
  return 0;
}
