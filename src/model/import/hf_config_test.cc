// SPDX-License-Identifier: Apache-2.0
#include "model/import/hf_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/import/import_sample.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;
using Json = nlohmann::json;

Result<HfConfig> Parse(const Json& json) {
  return ParseHfConfigText(json.dump(), "config.json");
}
std::string Refusal(const Json& json) {
  const auto config = Parse(json);
  if (config) return "accepted";
  EXPECT_FALSE(config.error().hint.empty()) << config.error().message;
  return config.error().message;
}

TEST(HfConfigTest, ReadsAPublishedOne) {
  // TinyLlama-1.1B-Chat-v1.0.
  const auto config = ParseHfConfigText(
      R"({"architectures": ["LlamaForCausalLM"], "attention_bias": false,
          "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu",
          "hidden_size": 2048, "initializer_range": 0.02,
          "intermediate_size": 5632, "max_position_embeddings": 2048,
          "model_type": "llama", "num_attention_heads": 32,
          "num_hidden_layers": 22, "num_key_value_heads": 4,
          "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_scaling": null,
          "rope_theta": 10000.0, "tie_word_embeddings": false,
          "torch_dtype": "bfloat16", "use_cache": true, "vocab_size": 32000})",
      "config.json");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->family, HfFamily::kLlama);
  EXPECT_EQ(config->layers, 22U);
  EXPECT_EQ(config->kv_heads, 4U);
  EXPECT_EQ(config->head_size, 64U);
  EXPECT_EQ(config->rope.base, 10000);
  EXPECT_EQ(config->special.at("eos"), 2U);
  EXPECT_FALSE(config->tied);
}

TEST(HfConfigTest, ReadsTheNewerPlaceOfRope) {
  Json json = LlamaSample().config;
  json.erase("rope_theta");
  json.erase("rope_scaling");
  json["rope_parameters"] = {{"rope_type", "yarn"},
                             {"rope_theta", 1e6},
                             {"factor", 4.0},
                             {"beta_fast", 32.0},
                             {"original_max_position_embeddings", 32768}};
  const auto config = Parse(json);
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->rope.base, 1e6);
  EXPECT_EQ(config->rope.scaling, "yarn");
  EXPECT_EQ(config->rope.factor, 4);
  EXPECT_EQ(config->rope.original_context, 32768U);
  EXPECT_EQ(config->rope.beta_fast, 32);
  EXPECT_EQ(config->rope.beta_slow, std::nullopt);
}

TEST(HfConfigTest, ReadsLabelsInTheirOrder) {
  Json json = BertSample({"c", "b", "a"}).config;
  EXPECT_THAT(Parse(json)->labels, ElementsAre("c", "b", "a"));
  json.erase("id2label");
  EXPECT_THAT(Parse(json)->labels, ElementsAre("LABEL_0", "LABEL_1"));
  json["num_labels"] = 1;
  EXPECT_THAT(Parse(json)->labels, ElementsAre("LABEL_0"));
  json["id2label"] = {{"0", "a"}, {"2", "b"}};
  EXPECT_EQ(Refusal(json), "config.json: 'id2label' has no text for label 1");
}

struct BadMember {
  const char* key;
  Json value;
  const char* message;
};

TEST(HfConfigTest, NamesWhatIsWrong) {
  const BadMember cases[] = {
      {"architectures", nullptr, "'architectures' does not name one"},
      {"architectures", Json::array({"GemmaForCausalLM"}),
       "the architecture 'GemmaForCausalLM' is not supported"},
      {"hidden_act", "relu", "'hidden_act' is 'relu', silu is supported"},
      {"quantization_config", Json::object(), "the weights are quantized"},
      {"hidden_size", nullptr, "'hidden_size' is missing"},
      {"hidden_size", 0, "'hidden_size' is no whole number from 1 to"},
      {"hidden_size", "16", "'hidden_size' is no whole number from 1 to"},
      {"hidden_size", 1e9, "'hidden_size' is no whole number from 1 to"},
      {"hidden_size", 18,
       "'hidden_size' is 18, no multiple of 'num_attention_heads', 4"},
      {"num_hidden_layers", 513,
       "'num_hidden_layers' is no whole number from 1 to 512"},
      {"num_key_value_heads", 3,
       "'num_attention_heads' is 4, no multiple of 'num_key_value_heads', 3"},
      {"head_dim", 3, "a head has 3 numbers, an odd number cannot be turned"},
      {"rms_norm_eps", -1, "'rms_norm_eps' is no number from 0 to 0.1"},
      {"rope_theta", 0, "'rope_theta' is no number from 1 to"},
      {"partial_rotary_factor", 0.5, "'partial_rotary_factor' is not"},
      {"rope_scaling", 1, "'rope_scaling' is no object"},
      {"rope_scaling",
       {{"type", "dynamic"}, {"factor", 2}},
       "'rope_type' is 'dynamic'; default, linear, yarn and llama3 are"},
      {"rope_scaling", {{"type", "linear"}}, "'factor' is missing"},
      {"rope_scaling",
       {{"type", "llama3"},
        {"factor", 8},
        {"low_freq_factor", 4},
        {"high_freq_factor", 1},
        {"original_max_position_embeddings", 8192}},
       "'low_freq_factor' is not below 'high_freq_factor'"},
  };
  for (const BadMember& bad : cases) {
    Json json = LlamaSample().config;
    json[bad.key] = bad.value;
    EXPECT_THAT(Refusal(json),
                StartsWith(std::string("config.json: ") + bad.message));
  }
  EXPECT_EQ(Refusal(Json::array()), "config.json: not a JSON object");
  const auto hint =
      Parse(Json{{"architectures", Json::array({"GPT2LMHeadModel"})}});
  EXPECT_THAT(hint.error().hint, StartsWith("there are LlamaForCausalLM, "));
  // What another file could mend, and what none can.
  Json json = LlamaSample().config;
  json["head_dim"] = 3;
  EXPECT_EQ(Parse(json).error().hint, kGetFolderAgain);
  json = LlamaSample().config;
  json["hidden_act"] = "relu";
  EXPECT_EQ(Parse(json).error().hint, kTakeGguf);
}

TEST(HfConfigTest, RefusesVariantsOfBertAndPhi) {
  Json bert = BertSample().config;
  bert["position_embedding_type"] = "relative_key";
  EXPECT_EQ(Refusal(bert),
            "config.json: 'position_embedding_type' is "
            "'relative_key', absolute is supported");
  Json decoder = BertSample().config;
  decoder["is_decoder"] = true;
  EXPECT_EQ(Refusal(decoder),
            "config.json: 'is_decoder' is 'true', false is supported");
  Json phi = PhiSample().config;
  phi["qk_layernorm"] = true;
  EXPECT_EQ(Refusal(phi),
            "config.json: 'qk_layernorm' is 'true', false is supported");
  Json mixtral = LlamaSample(4).config;
  mixtral["num_experts_per_tok"] = 5;
  EXPECT_EQ(Refusal(mixtral),
            "config.json: 'num_experts_per_tok' is no whole number from 1 to "
            "4");
}

}  // namespace
}  // namespace modicum
