// SPDX-License-Identifier: Apache-2.0
// A GGUF header, with and without the data it promises: what is accepted lies
// inside the file and is written and read again without a change.
#include <cstdint>
#include <string_view>

#include "model/gguf/gguf_memory.h"
#include "model/gguf/gguf_writer.h"

namespace {

using namespace modicum;

void CheckAccepted(const GgufFile& file) {
  for (const GgufTensor& tensor : file.tensors) {
    MODICUM_CHECK(tensor.elements() > 0);
    MODICUM_CHECK(file.data_offset + tensor.offset + tensor.bytes <=
                  file.file_bytes);
  }
  const std::string header = GgufHeader(file.metadata, file.tensors);
  const auto again =
      ParseGguf(header, file.file_bytes, file.name, GgufCheck::kStructure);
  MODICUM_CHECK(again.has_value());
  MODICUM_CHECK(again->tensors == file.tensors);
  MODICUM_CHECK(again->data_offset == file.data_offset);
  MODICUM_CHECK(GgufHeader(again->metadata, again->tensors) == header);
  MODICUM_CHECK(NeededMemory(file).value() >= file.bytes().value());
  (void)CheckMemory(file, {}, Bytes(1000));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view head(reinterpret_cast<const char*>(data), size);
  for (const uint64_t length : {uint64_t{size}, size + (uint64_t{1} << 20)})
    for (const GgufCheck check : {GgufCheck::kStructure, GgufCheck::kModel}) {
      const auto file = ParseGguf(head, length, "fuzz.gguf", check);
      if (file) CheckAccepted(*file);
    }
  return 0;
}
