// SPDX-License-Identifier: Apache-2.0
// For tests and benchmarks: networks with random weights, as GGUF files. They
// say nothing sensible, but compute as one of their size does.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "model/gguf/gguf_writer.h"

namespace modicum {

struct RandomNetwork {
  std::string architecture = "llama";  // or "bert"
  uint32_t width = 64;
  uint32_t layers = 2;
  uint32_t heads = 4;
  uint32_t kv_heads = 2;  // of a llama
  uint32_t inner = 128;   // of the feed-forward part
  uint32_t context = 128;
  uint32_t vocabulary = 320;             // at least 300
  uint32_t pooling = 1;                  // of a bert: 1 mean, 2 first, 4 class
  std::vector<std::string> labels = {};  // with pooling = 4
  // Of a bert, instead of letters: from [PAD] to [MASK], then word pieces.
  std::vector<std::string> tokens = {};
  uint64_t seed = 1;
};

namespace internal {

class NetworkWriter {
 public:
  explicit NetworkWriter(const RandomNetwork& network)
      : n_(network), rng_(network.seed) {}

  Status Write(const std::string& path) {
    if (n_.architecture == "bert")
      AddBert();
    else
      AddLlama();
    MODICUM_TRY(GgufWriter writer, GgufWriter::Create(path, Metadata(), all_));
    for (const GgufTensor& tensor : writer.tensors())
      MODICUM_RETURN_IF_ERROR(AppendNumbers(writer, tensor));
    return writer.Finish();
  }

 private:
  void Add(std::string name, uint64_t columns, uint64_t rows = 0) {
    GgufTensor tensor;
    tensor.name = std::move(name);
    tensor.shape[0] = columns;
    if (rows > 0) tensor.shape[1] = rows;
    tensor.dimensions = rows > 0 ? 2 : 1;
    all_.push_back(std::move(tensor));
  }
  void AddWithBias(const std::string& name, uint64_t columns, uint64_t rows) {
    Add(name + ".weight", columns, rows);
    Add(name + ".bias", rows > 0 ? rows : columns);
  }

  void AddLlama() {
    const uint64_t kv = uint64_t{n_.width} / n_.heads * n_.kv_heads;
    Add("token_embd.weight", n_.width, n_.vocabulary);
    for (uint32_t i = 0; i < n_.layers; ++i) {
      const std::string block = fmt::format("blk.{}.", i);
      Add(block + "attn_norm.weight", n_.width);
      Add(block + "attn_q.weight", n_.width, n_.width);
      Add(block + "attn_k.weight", n_.width, kv);
      Add(block + "attn_v.weight", n_.width, kv);
      Add(block + "attn_output.weight", n_.width, n_.width);
      Add(block + "ffn_norm.weight", n_.width);
      Add(block + "ffn_gate.weight", n_.width, n_.inner);
      Add(block + "ffn_up.weight", n_.width, n_.inner);
      Add(block + "ffn_down.weight", n_.inner, n_.width);
    }
    Add("output_norm.weight", n_.width);
    Add("output.weight", n_.width, n_.vocabulary);
  }

  void AddBert() {
    Add("token_embd.weight", n_.width, n_.vocabulary);
    Add("token_types.weight", n_.width, 2);
    Add("position_embd.weight", n_.width, n_.context);
    AddWithBias("token_embd_norm", n_.width, 0);
    for (uint32_t i = 0; i < n_.layers; ++i) {
      const std::string block = fmt::format("blk.{}.", i);
      for (const char* part : {"attn_q", "attn_k", "attn_v", "attn_output"})
        AddWithBias(block + part, n_.width, n_.width);
      AddWithBias(block + "attn_output_norm", n_.width, 0);
      AddWithBias(block + "ffn_up", n_.width, n_.inner);
      AddWithBias(block + "ffn_down", n_.inner, n_.width);
      AddWithBias(block + "layer_output_norm", n_.width, 0);
    }
    if (n_.labels.empty()) return;
    AddWithBias("cls", n_.width, n_.width);
    AddWithBias("cls.output", n_.width, n_.labels.size());
  }

  GgufMetadata Metadata() const {
    const bool bert = n_.architecture == "bert";
    GgufMetadata metadata = {{"general.architecture", n_.architecture},
                             {"general.name", std::string("random")}};
    const auto add = [&](const char* key, GgufValue value) {
      metadata.emplace_back(n_.architecture + "." + key, std::move(value));
    };
    add("context_length", n_.context);
    add("embedding_length", n_.width);
    add("block_count", n_.layers);
    add("feed_forward_length", n_.inner);
    add("attention.head_count", n_.heads);
    add("attention.head_count_kv", bert ? n_.heads : n_.kv_heads);
    if (bert) {
      add("attention.layer_norm_epsilon", 1e-5F);
      add("attention.causal", false);
      add("pooling_type", n_.pooling);
      if (!n_.labels.empty())
        add("classifier.output_labels", GgufArray::Of(n_.labels));
      metadata.emplace_back("tokenizer.ggml.token_type_count", uint32_t{2});
    } else {
      add("attention.layer_norm_rms_epsilon", 1e-5F);
      add("rope.dimension_count", n_.width / n_.heads);
    }
    AddVocabulary(bert, metadata);
    return metadata;
  }

  // Single letters, bytes, and words that nobody writes.
  void AddVocabulary(bool bert, GgufMetadata& metadata) const {
    constexpr int32_t kNormal = 1, kUnknown = 2, kControl = 3, kByte = 6;
    constexpr std::array kSpecial = {"[PAD]", "[UNK]", "[CLS]", "[SEP]",
                                     "[MASK]"};
    std::vector<std::string> tokens;
    std::vector<int32_t> types;
    const auto add = [&](std::string token, int32_t type) {
      tokens.push_back(std::move(token));
      types.push_back(type);
    };
    if (!n_.tokens.empty()) {
      for (const std::string& token : n_.tokens)
        add(token, tokens.size() < kSpecial.size() ? kControl : kNormal);
    } else if (bert) {
      for (const char* token : kSpecial) add(token, kControl);
    } else {
      add("<unk>", kUnknown);
      add("<s>", kControl);
      add("</s>", kControl);
      for (int byte = 0; byte < 256; ++byte)
        add(fmt::format("<0x{:02X}>", byte), kByte);
    }
    // A letter that begins a word, and a space alone.
    constexpr char kSpace[] = "\xE2\x96\x81";
    if (n_.tokens.empty()) {
      for (char c = 'a'; c <= 'z'; ++c)
        add(kSpace + std::string(1, c), kNormal);
      add(kSpace, kNormal);
    }
    while (tokens.size() < n_.vocabulary)
      add(fmt::format("w{}", tokens.size()), kNormal);
    const std::vector<float> scores(tokens.size(), 0.0F);
    metadata.emplace_back("tokenizer.ggml.model",
                          std::string(bert ? "bert" : "llama"));
    metadata.emplace_back("tokenizer.ggml.tokens",
                          GgufArray::Of(std::move(tokens)));
    metadata.emplace_back("tokenizer.ggml.scores", GgufArray::Of(scores));
    metadata.emplace_back("tokenizer.ggml.token_type", GgufArray::Of(types));
    if (!bert) return;
    metadata.emplace_back("tokenizer.ggml.cls_token_id", uint32_t{2});
    metadata.emplace_back("tokenizer.ggml.bos_token_id", uint32_t{2});
    metadata.emplace_back("tokenizer.ggml.seperator_token_id", uint32_t{3});
    metadata.emplace_back("tokenizer.ggml.eos_token_id", uint32_t{3});
    metadata.emplace_back("tokenizer.ggml.padding_token_id", uint32_t{0});
    metadata.emplace_back("tokenizer.ggml.unknown_token_id", uint32_t{1});
  }

  // Matrices that keep the size of what they multiply; norms near 1, biases
  // near 0.
  Status AppendNumbers(GgufWriter& writer, const GgufTensor& tensor) {
    const bool norm = tensor.name.ends_with("norm.weight");
    const double spread =
        tensor.dimensions == 2 && !tensor.name.ends_with("embd.weight")
            ? std::sqrt(3.0 / static_cast<double>(tensor.shape[0]))
            : 0.1;
    std::vector<float> row(tensor.shape[0]);
    for (uint64_t r = 0; r < tensor.elements() / tensor.shape[0]; ++r) {
      for (float& x : row)
        x = static_cast<float>((norm ? 1 : 0) + spread * (2 * rng_.Unit() - 1));
      MODICUM_RETURN_IF_ERROR(writer.Append(
          {reinterpret_cast<const char*>(row.data()), 4 * row.size()}));
    }
    return {};
  }

  const RandomNetwork& n_;
  Rng rng_;
  std::vector<GgufTensor> all_;
};

}  // namespace internal

// Its weights are F32.
inline Status WriteRandomNetwork(const RandomNetwork& network,
                                 const std::string& path) {
  return internal::NetworkWriter(network).Write(path);
}

}  // namespace modicum
