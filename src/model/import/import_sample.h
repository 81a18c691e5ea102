// SPDX-License-Identifier: Apache-2.0
// Small Hugging Face models with random weights, for tests: a folder as
// save_pretrained() writes it, to be damaged one member at a time.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/rng.h"
#include "model/bytes.h"
#include "model/head_kind.h"
#include "model/import/float_convert.h"

namespace modicum {

// Rows first.
struct HfSampleTensor {
  std::vector<uint64_t> shape;
  std::vector<float> values;
};

struct HfSample {
  nlohmann::json config, tokenizer, settings;
  std::map<std::string, HfSampleTensor> tensors;
  std::string type = "F32";  // of the file; F16 and BF16 are rounded to
  Rng rng{5};

  void Add(const std::string& name, std::vector<uint64_t> shape) {
    size_t count = 1;
    for (const uint64_t size : shape) count *= size;
    HfSampleTensor tensor{std::move(shape), std::vector<float>(count)};
    for (float& value : tensor.values)
      value = static_cast<float>(rng.Unit() - 0.5);
    tensors[name] = std::move(tensor);
  }
  void AddLinear(const std::string& name, uint64_t out, uint64_t in,
                 bool bias) {
    Add(name + ".weight", {out, in});
    if (bias) Add(name + ".bias", {out});
  }
  void AddNorm(const std::string& name, uint64_t width, bool bias) {
    Add(name + ".weight", {width});
    if (bias) Add(name + ".bias", {width});
  }

  std::string Encoded(const HfSampleTensor& tensor) const {
    ByteWriter out;
    for (const float value : tensor.values) {
      if (type == "F32") out.Put(value);
      if (type == "F16") out.Put(HalfOf(value));
      if (type == "BF16") out.Put(BrainOf(value));
    }
    return out.Take();
  }
  // Of the tensors for which `chosen`.
  template <class Chosen>
  std::string Safetensors(Chosen chosen) const {
    nlohmann::json header = {{"__metadata__", {{"format", "pt"}}}};
    std::string data;
    for (const auto& [name, tensor] : tensors) {
      if (!chosen(name)) continue;
      const std::string bytes = Encoded(tensor);
      header[name] = {
          {"dtype", type},
          {"shape", tensor.shape},
          {"data_offsets", {data.size(), data.size() + bytes.size()}}};
      data += bytes;
    }
    const std::string text = header.dump();
    ByteWriter out;
    out.Put<uint64_t>(text.size());
    out.PutText(text);
    out.PutText(data);
    return out.Take();
  }
  void Write(const std::string& folder, size_t shards = 1) const {
    std::filesystem::create_directories(folder);
    const auto write = [&](const std::string& name, const std::string& text) {
      MODICUM_CHECK(WriteFileAtomically(folder + "/" + name, text).has_value());
    };
    write("config.json", config.dump(1));
    if (!tokenizer.is_null()) write("tokenizer.json", tokenizer.dump(1));
    if (!settings.is_null()) write("tokenizer_config.json", settings.dump(1));
    if (shards == 1)
      return write("model.safetensors",
                   Safetensors([](const std::string&) { return true; }));
    nlohmann::json map;
    for (size_t i = 0; i < shards; ++i) {
      const std::string file =
          fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards);
      const auto here = [&](const std::string& name) {
        return std::hash<std::string>()(name) % shards == i;
      };
      write(file, Safetensors(here));
      for (const auto& [name, tensor] : tensors)
        if (here(name)) map[name] = file;
    }
    write("model.safetensors.index.json",
          nlohmann::json{{"weight_map", map}}.dump());
  }
};

inline nlohmann::json AddedToken(uint64_t id, const std::string& content,
                                 bool special = true) {
  return {{"id", id}, {"content", content}, {"special", special}};
}

// Byte fallback, as in Llama 2: 3 + 256 + 6 tokens.
inline nlohmann::json ByteFallbackTokenizer() {
  nlohmann::json vocabulary = {{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}};
  for (int byte = 0; byte < 256; ++byte)
    vocabulary[fmt::format("<0x{:02X}>", byte)] = 3 + byte;
  const std::string mark = "\xE2\x96\x81";
  const std::string more[] = {mark, "a", "b", mark + "a", "ab", mark + "ab"};
  for (const std::string& text : more) vocabulary[text] = vocabulary.size();
  return {
      {"added_tokens",
       {AddedToken(0, "<unk>"), AddedToken(1, "<s>"), AddedToken(2, "</s>")}},
      {"normalizer",
       {{"type", "Sequence"},
        {"normalizers",
         {{{"type", "Prepend"}, {"prepend", mark}},
          {{"type", "Replace"},
           {"pattern", {{"String", " "}}},
           {"content", mark}}}}}},
      {"pre_tokenizer", nullptr},
      {"post_processor",
       {{"type", "TemplateProcessing"},
        {"single",
         {{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}},
          {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}}}},
      {"model",
       {{"type", "BPE"},
        {"unk_token", "<unk>"},
        {"byte_fallback", true},
        {"vocab", vocabulary},
        {"merges", {mark + " a", "a b", mark + "a b", mark + " ab"}}}}};
}

// The character that GPT-2 writes for a byte: printable ones are themselves,
// the others follow from U+0100 on.
inline std::string ByteCharacter(int byte) {
  const auto printable = [](int b) {
    return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  };
  int code = byte;
  if (!printable(byte)) {
    code = 256;
    for (int b = 0; b < byte; ++b) code += printable(b) ? 0 : 1;
  }
  if (code < 128) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xC0 | (code >> 6)),
          static_cast<char>(0x80 | (code & 0x3F))};
}

// 256 bytes, two merges and an end: GPT-2's pre-tokenizer.
inline nlohmann::json ByteLevelTokenizer() {
  nlohmann::json vocabulary;
  for (int byte = 0; byte < 256; ++byte) vocabulary[ByteCharacter(byte)] = byte;
  vocabulary["th"] = 256;
  vocabulary["the"] = 257;
  return {
      {"added_tokens",
       nlohmann::json::array({AddedToken(258, "<|endoftext|>")})},
      {"normalizer", nullptr},
      {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
      {"post_processor", {{"type", "ByteLevel"}}},
      {"model",
       {{"type", "BPE"},
        {"vocab", vocabulary},
        {"merges",
         nlohmann::json::array({"t h", nlohmann::json::array({"th", "e"})})}}}};
}

inline nlohmann::json WordPieceTokenizer() {
  nlohmann::json vocabulary;
  for (const char* text : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"})
    vocabulary[text] = vocabulary.size();
  for (char c = 'a'; c <= 'z'; ++c)
    vocabulary[std::string(1, c)] = vocabulary.size();
  for (char c = 'a'; c <= 'z'; ++c)
    vocabulary[std::string("##") + c] = vocabulary.size();
  return {
      {"added_tokens",
       {AddedToken(0, "[PAD]"), AddedToken(1, "[UNK]"), AddedToken(2, "[CLS]"),
        AddedToken(3, "[SEP]"), AddedToken(4, "[MASK]")}},
      {"normalizer",
       {{"type", "BertNormalizer"},
        {"lowercase", true},
        {"strip_accents", nullptr}}},
      {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
      {"model",
       {{"type", "WordPiece"},
        {"unk_token", "[UNK]"},
        {"continuing_subword_prefix", "##"},
        {"vocab", vocabulary}}}};
}

// Two layers of four heads over two, 16 numbers wide; 0 experts for Llama.
inline HfSample LlamaSample(uint64_t experts = 0) {
  HfSample s;
  const uint64_t width = 16, inner = 24, heads = 4, kv = 2, size = 4;
  const uint64_t vocabulary = 272;  // seven more than there are tokens
  s.config = {{"architectures",
               nlohmann::json::array(
                   {experts == 0 ? "LlamaForCausalLM" : "MixtralForCausalLM"})},
              {"hidden_act", "silu"},
              {"hidden_size", width},
              {"intermediate_size", inner},
              {"num_hidden_layers", 2},
              {"num_attention_heads", heads},
              {"num_key_value_heads", kv},
              {"max_position_embeddings", 64},
              {"vocab_size", vocabulary},
              {"rms_norm_eps", 1e-5},
              {"rope_theta", 500000.0},
              {"rope_scaling", nullptr},
              {"bos_token_id", 1},
              {"eos_token_id", 2},
              {"tie_word_embeddings", false}};
  if (experts > 0) {
    s.config["num_local_experts"] = experts;
    s.config["num_experts_per_tok"] = 2;
  }
  s.tokenizer = ByteFallbackTokenizer();
  s.settings = {{"bos_token", "<s>"},
                {"eos_token", {{"content", "</s>"}}},
                {"unk_token", "<unk>"},
                {"chat_template", "{{ messages }}"}};
  s.Add("model.embed_tokens.weight", {vocabulary, width});
  s.AddNorm("model.norm", width, false);
  s.AddLinear("lm_head", vocabulary, width, false);
  for (int i = 0; i < 2; ++i) {
    const std::string layer = fmt::format("model.layers.{}.", i);
    s.AddNorm(layer + "input_layernorm", width, false);
    s.AddNorm(layer + "post_attention_layernorm", width, false);
    s.AddLinear(layer + "self_attn.q_proj", heads * size, width, false);
    s.AddLinear(layer + "self_attn.k_proj", kv * size, width, false);
    s.AddLinear(layer + "self_attn.v_proj", kv * size, width, false);
    s.AddLinear(layer + "self_attn.o_proj", width, heads * size, false);
    if (experts == 0) {
      s.AddLinear(layer + "mlp.gate_proj", inner, width, false);
      s.AddLinear(layer + "mlp.up_proj", inner, width, false);
      s.AddLinear(layer + "mlp.down_proj", width, inner, false);
      continue;
    }
    const std::string moe = layer + "block_sparse_moe.";
    s.AddLinear(moe + "gate", experts, width, false);
    for (uint64_t e = 0; e < experts; ++e) {
      const std::string expert = fmt::format("{}experts.{}.", moe, e);
      s.AddLinear(expert + "w1", inner, width, false);
      s.AddLinear(expert + "w2", width, inner, false);
      s.AddLinear(expert + "w3", inner, width, false);
    }
  }
  return s;
}

inline HfSample PhiSample() {
  HfSample s;
  const uint64_t width = 16, inner = 32, vocabulary = 259;
  s.config = {{"architectures", nlohmann::json::array({"PhiForCausalLM"})},
              {"hidden_act", "gelu_new"},
              {"hidden_size", width},
              {"intermediate_size", inner},
              {"num_hidden_layers", 2},
              {"num_attention_heads", 2},
              {"max_position_embeddings", 64},
              {"vocab_size", vocabulary},
              {"layer_norm_eps", 1e-5},
              {"partial_rotary_factor", 0.5},
              {"qk_layernorm", false}};
  s.tokenizer = ByteLevelTokenizer();
  s.settings = {{"bos_token", "<|endoftext|>"}, {"eos_token", "<|endoftext|>"}};
  s.Add("model.embed_tokens.weight", {vocabulary, width});
  s.AddNorm("model.final_layernorm", width, true);
  s.AddLinear("lm_head", vocabulary, width, true);
  for (int i = 0; i < 2; ++i) {
    const std::string layer = fmt::format("model.layers.{}.", i);
    s.AddNorm(layer + "input_layernorm", width, true);
    for (const char* name : {"q_proj", "k_proj", "v_proj", "dense"})
      s.AddLinear(layer + "self_attn." + name, width, width, true);
    s.AddLinear(layer + "mlp.fc1", inner, width, true);
    s.AddLinear(layer + "mlp.fc2", width, inner, true);
  }
  return s;
}

// With `labels`, a classifier.
inline HfSample BertSample(const std::vector<std::string>& labels = {}) {
  HfSample s;
  const uint64_t width = 16, inner = 32, vocabulary = 57;
  s.config = {
      {"architectures",
       nlohmann::json::array(
           {labels.empty() ? "BertModel" : "BertForSequenceClassification"})},
      {"hidden_act", "gelu"},
      {"hidden_size", width},
      {"intermediate_size", inner},
      {"num_hidden_layers", 2},
      {"num_attention_heads", 2},
      {"max_position_embeddings", 32},
      {"type_vocab_size", 2},
      {"vocab_size", vocabulary},
      {"layer_norm_eps", 1e-12},
      {"pad_token_id", 0}};
  for (size_t i = 0; i < labels.size(); ++i)
    s.config["id2label"][std::to_string(i)] = labels[i];
  s.tokenizer = WordPieceTokenizer();
  s.settings = {{"cls_token", "[CLS]"}, {"sep_token", "[SEP]"}};
  const std::string prefix = labels.empty() ? "" : "bert.";
  s.Add(prefix + "embeddings.word_embeddings.weight", {vocabulary, width});
  s.Add(prefix + "embeddings.position_embeddings.weight", {32, width});
  s.Add(prefix + "embeddings.token_type_embeddings.weight", {2, width});
  s.AddNorm(prefix + "embeddings.LayerNorm", width, true);
  for (int i = 0; i < 2; ++i) {
    const std::string layer = fmt::format("{}encoder.layer.{}.", prefix, i);
    for (const char* name : {"query", "key", "value"})
      s.AddLinear(layer + "attention.self." + name, width, width, true);
    s.AddLinear(layer + "attention.output.dense", width, width, true);
    s.AddNorm(layer + "attention.output.LayerNorm", width, true);
    s.AddLinear(layer + "intermediate.dense", inner, width, true);
    s.AddLinear(layer + "output.dense", width, inner, true);
    s.AddNorm(layer + "output.LayerNorm", width, true);
  }
  s.AddLinear(prefix + "pooler.dense", width, width, true);
  if (!labels.empty()) s.AddLinear("classifier", labels.size(), width, true);
  return s;
}

// With a head for each token. `labels` are those of token classification.
inline HfSample BertHeadSample(HeadKind kind,
                               const std::vector<std::string>& labels = {}) {
  constexpr const char* kClassNames[] = {"BertForMaskedLM",
                                         "BertForTokenClassification",
                                         "BertForQuestionAnswering"};
  // A classifier without its pooler, for the names.
  HfSample s = BertSample({"no", "yes"});
  for (const char* name :
       {"classifier.weight", "classifier.bias", "bert.pooler.dense.weight",
        "bert.pooler.dense.bias"})
    s.tensors.erase(name);
  s.config.erase("id2label");
  s.config["architectures"] =
      nlohmann::json::array({kClassNames[static_cast<int>(kind)]});
  s.settings["mask_token"] = "[MASK]";
  const uint64_t width = s.config["hidden_size"];
  const uint64_t vocabulary = s.config["vocab_size"];
  if (kind == HeadKind::kFillMask) {
    s.AddLinear("cls.predictions.transform.dense", width, width, true);
    s.AddNorm("cls.predictions.transform.LayerNorm", width, true);
    s.Add("cls.predictions.bias", {vocabulary});
  } else if (kind == HeadKind::kQuestionAnswering) {
    s.AddLinear("qa_outputs", 2, width, true);
  } else {
    for (size_t i = 0; i < labels.size(); ++i)
      s.config["id2label"][std::to_string(i)] = labels[i];
    s.AddLinear("classifier", labels.size(), width, true);
  }
  return s;
}

}  // namespace modicum
