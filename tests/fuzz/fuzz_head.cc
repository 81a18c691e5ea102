// SPDX-License-Identifier: Apache-2.0
// A head's file: one that is accepted on a body has the tensors of its kind,
// each within the file.
#include <cstdint>
#include <string_view>

#include "model/gguf/head_file.h"

namespace {

using namespace modicum;

// As wide as the corpus's heads.
GgufFile Body() {
  GgufFile body;
  body.name = "body.gguf";
  body.metadata = {{"general.architecture", std::string("bert")},
                   {"bert.embedding_length", uint32_t{4}}};
  GgufTensor& embedding = body.tensors.emplace_back();
  embedding.name = "token_embd.weight";
  embedding.dimensions = 2;
  embedding.shape = {4, 6, 1, 1};
  return body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto file = ParseGguf(bytes, size, "fuzz.head.gguf", GgufCheck::kStructure);
  if (!file) return 0;
  const auto head = ParseHead(*std::move(file));
  if (!head) return 0;
  MODICUM_CHECK(head->body.size() == 64);
  MODICUM_CHECK((head->kind == HeadKind::kTokenClassification) ==
                !head->labels.empty());
  const GgufFile body = Body();
  if (!CheckHeadFits(*head, body)) return 0;
  const auto wanted = HeadTensors(head->ShapeOn(body));
  MODICUM_CHECK(head->file.tensors.size() == wanted.size());
  for (const HeadTensor& tensor : wanted) {
    const GgufTensor* own = head->file.FindTensor(tensor.name);
    MODICUM_CHECK(own != nullptr && own->shape[0] == tensor.columns);
    MODICUM_CHECK(head->file.data_offset + own->offset + own->bytes <= size);
  }
  return 0;
}
