// SPDX-License-Identifier: Apache-2.0
// A LoRA adapter for a small network: what is accepted has for each matrix of
// the network's two halves that make it.
#include <cstdint>
#include <string>
#include <string_view>

#include "model/ggml/adapter.h"
#include "model/gguf/gguf_sample.h"

namespace {

using namespace modicum;

const GgufFile& Network() {
  static const GgufFile* network = [] {
    const std::string file = GgufSample().File();
    return new GgufFile(*ParseGguf(file, file.size(), "network.gguf"));
  }();
  return *network;
}

void CheckAccepted(const GgufFile& adapter) {
  MODICUM_CHECK(!adapter.tensors.empty());
  for (const GgufTensor& tensor : adapter.tensors) {
    const std::string of = tensor.name.substr(0, tensor.name.size() - 7);
    MODICUM_CHECK(Network().FindTensor(of) != nullptr);
    MODICUM_CHECK(adapter.FindTensor(of + ".lora_a") != nullptr);
    MODICUM_CHECK(adapter.FindTensor(of + ".lora_b") != nullptr);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)ParseAdapter(std::string(bytes.substr(0, 100)));
  const auto adapter = ParseGguf(bytes, size + (uint64_t{1} << 20),
                                 "adapter.gguf", GgufCheck::kStructure);
  if (adapter && CheckAdapter(*adapter, Network())) CheckAccepted(*adapter);
  return 0;
}
