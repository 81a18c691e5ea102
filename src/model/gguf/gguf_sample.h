// SPDX-License-Identifier: Apache-2.0
// Small sound GGUF files for tests, to be damaged one field at a time.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "model/gguf/gguf_file.h"
#include "model/gguf/gguf_writer.h"

namespace modicum {

// A llama of two layers, four heads over two, eight numbers wide.
struct GgufSample {
  GgufMetadata metadata;
  std::vector<GgufTensor> tensors;

  GgufSample() {
    std::vector<std::string> tokens = {"<unk>", "<s>", "</s>"};
    std::vector<int32_t> types = {2, 3, 3};
    for (int byte = 0; byte < 256; ++byte) {
      tokens.push_back(fmt::format("<0x{:02X}>", byte));
      types.push_back(6);
    }
    tokens.push_back("a");
    types.push_back(1);
    std::vector<float> scores(tokens.size(), 0.0F);
    const uint64_t vocabulary = tokens.size();
    metadata = {
        {"general.architecture", std::string("llama")},
        {"general.alignment", uint32_t{32}},
        {"llama.context_length", uint32_t{64}},
        {"llama.embedding_length", uint32_t{8}},
        {"llama.block_count", uint32_t{2}},
        {"llama.feed_forward_length", uint32_t{16}},
        {"llama.attention.head_count", uint32_t{4}},
        {"llama.attention.head_count_kv", uint32_t{2}},
        {"llama.attention.layer_norm_rms_epsilon", 1e-5F},
        {"tokenizer.ggml.model", std::string("llama")},
        {"tokenizer.ggml.tokens", GgufArray::Of(std::move(tokens))},
        {"tokenizer.ggml.scores", GgufArray::Of(scores)},
        {"tokenizer.ggml.token_type", GgufArray::Of(types)},
    };
    tensors = {Tensor("token_embd.weight", GgmlType::kF32, {8, vocabulary}),
               Tensor("output_norm.weight", GgmlType::kF32, {8}),
               Tensor("output.weight", GgmlType::kF16, {8, vocabulary})};
  }

  static GgufTensor Tensor(std::string name, GgmlType type,
                           std::vector<uint64_t> shape) {
    GgufTensor tensor;
    tensor.name = std::move(name);
    tensor.type = type;
    tensor.dimensions = static_cast<uint32_t>(shape.size());
    std::ranges::copy(shape, tensor.shape.begin());
    return tensor;
  }

  GgufValue& operator[](std::string_view key) {
    for (auto& [name, value] : metadata)
      if (name == key) return value;
    metadata.emplace_back(std::string(key), GgufValue());
    return metadata.back().second;
  }
  void Remove(std::string_view key) {
    std::erase_if(metadata,
                  [&](const auto& pair) { return pair.first == key; });
  }

  // The header, the tensors placed.
  std::string Header() {
    MODICUM_CHECK(PlaceTensors(tensors).has_value());
    return GgufHeader(metadata, tensors);
  }
  uint64_t DataBytes() const {
    return tensors.empty() ? 0 : tensors.back().offset + tensors.back().bytes;
  }
  // The whole file, all weights 0.
  std::string File() {
    std::string file = Header();
    file.resize(file.size() + DataBytes());
    return file;
  }
};

}  // namespace modicum
