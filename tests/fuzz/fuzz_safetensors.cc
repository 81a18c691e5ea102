// SPDX-License-Identifier: Apache-2.0
// A safetensors header: what is accepted covers the data once and whole.
#include <cstdint>
#include <string_view>

#include "model/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modicum;
  const std::string_view head(reinterpret_cast<const char*>(data), size);
  for (const uint64_t more : {0U, 4U, 16U, 4096U}) {
    const auto tensors = ParseSafetensors(head, size + more, "fuzz");
    if (!tensors || tensors->empty()) continue;
    uint64_t end = tensors->front().offset;
    for (const SafeTensor& tensor : *tensors) {
      MODICUM_CHECK(tensor.offset == end);
      MODICUM_CHECK(tensor.elements() <= tensor.bytes);
      end += tensor.bytes;
    }
    MODICUM_CHECK(end == size + more);
  }
  return 0;
}
