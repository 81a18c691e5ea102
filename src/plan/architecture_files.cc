// SPDX-License-Identifier: Apache-2.0
// Architectures out of files: config.json and a GGUF header.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "model/strict_json.h"
#include "plan/architecture.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

void Take(const Json& object, ConfigValues& config) {
  for (const auto& [key, value] : object.items()) {
    if (value.is_boolean())
      config.numbers[key] = value.get<bool>() ? 1 : 0;
    else if (value.is_number())
      config.numbers[key] = value.get<double>();
    else if (value.is_string())
      config.texts[key] = value.get<std::string>();
  }
  const auto types = object.find("layer_types");
  if (types == object.end() || !types->is_array()) return;
  config.layer_types.clear();
  for (const Json& type : *types)
    config.layer_types.push_back(type.is_string() ? type.get<std::string>()
                                                  : "");
}

// GGUF's names of config.json's numbers, after "<architecture>.".
constexpr std::array<std::array<std::string_view, 2>, 17> kGgufKeys{{
    {"embedding_length", "hidden_size"},
    {"block_count", "num_hidden_layers"},
    {"attention.head_count", "num_attention_heads"},
    {"attention.head_count_kv", "num_key_value_heads"},
    {"attention.key_length", "head_dim"},
    {"feed_forward_length", "intermediate_size"},
    {"expert_feed_forward_length", "moe_intermediate_size"},
    {"vocab_size", "vocab_size"},
    {"context_length", "max_position_embeddings"},
    {"attention.sliding_window", "sliding_window"},
    {"expert_count", "num_local_experts"},
    {"expert_used_count", "num_experts_per_tok"},
    {"expert_shared_count", "n_shared_experts"},
    {"leading_dense_block_count", "first_k_dense_replace"},
    {"attention.kv_lora_rank", "kv_lora_rank"},
    {"attention.q_lora_rank", "q_lora_rank"},
    {"rope.dimension_count", "qk_rope_head_dim"},
}};

std::string_view TypeOf(std::string_view architecture) {
  if (architecture == "gemma3") return "gemma3_text";
  if (architecture == "deepseek2") return "deepseek_v2";
  if (architecture == "phi2") return "phi";
  if (architecture == "qwen2moe") return "qwen2_moe";
  if (architecture == "qwen3moe") return "qwen3_moe";
  return architecture;
}

// GGUF counts both parts of a key; the config counts them apart.
void SplitLatentHeads(const GgufFile& file, const std::string& prefix,
                      ConfigValues& config) {
  if (!config.numbers.contains("kv_lora_rank")) return;
  const auto key = file.Number(prefix + "attention.key_length_mla")
                       .value_or(config.numbers["head_dim"]);
  const auto value =
      file.Number(prefix + "attention.value_length_mla")
          .value_or(
              file.Number(prefix + "attention.value_length").value_or(128));
  config.numbers["qk_nope_head_dim"] = key - config.numbers["qk_rope_head_dim"];
  config.numbers["v_head_dim"] = value;
}

ConfigValues ConfigOf(const GgufFile& file) {
  ConfigValues config;
  const std::string prefix = std::string(file.architecture()) + ".";
  for (const auto& [from, to] : kGgufKeys)
    if (const auto value = file.Number(prefix + std::string(from)))
      config.numbers[std::string(to)] = *value;
    else if (const auto whole = file.Unsigned(prefix + std::string(from)))
      config.numbers[std::string(to)] = static_cast<double>(*whole);
  if (config.numbers["num_local_experts"] == 0)
    config.numbers.erase("num_local_experts");
  if (const GgufArray* tokens = file.Array("tokenizer.ggml.tokens"))
    config.numbers["vocab_size"] = static_cast<double>(tokens->size);
  config.texts["model_type"] = TypeOf(file.architecture());
  SplitLatentHeads(file, prefix, config);
  return config;
}

}  // namespace

Result<Architecture> ParseConfig(std::string_view json,
                                 const std::string& name) {
  MODICUM_TRY(const Json config, ParseStrictJson(json, name, 32));
  if (!config.is_object())
    return Fail(ErrorCode::kInvalidInput, name + ": not a JSON object",
                "is this a config.json?");
  ConfigValues values;
  Take(config, values);
  if (const auto text = config.find("text_config");
      text != config.end() && text->is_object())
    Take(*text, values);
  return ArchitectureOf(values, name);
}

Result<Architecture> ArchitectureOf(const GgufFile& file) {
  double elements = 0;
  for (const GgufTensor& tensor : file.tensors)
    elements += static_cast<double>(tensor.elements());
  MODICUM_TRY(Architecture model, ArchitectureOf(ConfigOf(file), file.name));
  if (elements > 0) {
    model.active *= elements / model.parameters;
    model.parameters = elements;
  }
  return model;
}

}  // namespace modicum
