// SPDX-License-Identifier: Apache-2.0
#include "plan/architecture.h"

#include <gtest/gtest.h>

#include <string>

namespace modicum {
namespace {

Architecture Preset(std::string_view name) {
  auto model = FindArchitecture(name);
  EXPECT_TRUE(model) << (model ? "" : model.error().message);
  return model.value_or(Architecture{});
}

// num_parameters() of the reference implementations.
TEST(Architecture, CountsAreExact) {
  const std::pair<const char*, double> expected[] = {
      {"llama-2-7b", 6738415616},   {"llama-2-13b", 13015864320},
      {"llama-2-70b", 68976648192}, {"llama-3-8b", 8030261248},
      {"llama-3-70b", 70553706496}, {"llama-3.1-405b", 405853388800},
      {"mistral-7b", 7241732096},   {"mixtral-8x7b", 46702792704},
      {"gpt2", 124439808},          {"gpt2-xl", 1557611200},
      {"bert-base", 109482240},     {"bert-large", 335141888},
      {"t5-small", 60506624},       {"t5-base", 222903552},
      {"phi-2", 2779683840},        {"phi-3-mini", 3821079552},
      {"qwen2.5-0.5b", 494032768},  {"qwen2.5-7b", 7615616512},
      {"qwen3-8b", 8190735360},     {"gemma-2b", 2506172416},
      {"gemma-7b", 8537680896},     {"gemma-2-9b", 9241705984},
      {"bloom", 176247271424},      {"llama-3.2-1b", 1235814400},
      {"gemma-3-1b", 999885952},    {"qwen3-30b-a3b", 30532122624},
      {"jamba-v0.1", 51570323328},  {"deepseek-v3", 671026419200}};
  for (const auto& [name, parameters] : expected)
    EXPECT_EQ(Preset(name).parameters, parameters) << name;
}

TEST(Architecture, ActiveParametersOfMixtures) {
  EXPECT_NEAR(Preset("mixtral-8x7b").active, 12.88e9, 0.01e9);
  EXPECT_NEAR(Preset("deepseek-v3").active, 37.55e9, 0.5e9);
  EXPECT_NEAR(Preset("qwen3-30b-a3b").active, 3.35e9, 0.05e9);
  EXPECT_EQ(Preset("llama-2-7b").active, Preset("llama-2-7b").parameters);
}

TEST(Architecture, CacheBytesPerTokenAreExact) {
  const std::pair<const char*, double> expected[] = {
      {"llama-2-7b", 524288},
      {"llama-3-8b", 131072},
      {"llama-3-70b", 327680},
      {"llama-3.1-405b", 516096},
      {"deepseek-v3", 70272},
      {"gemma-2b", 18432},
      {"jamba-v0.1", 4 * 2 * 8 * 128 * 2}};
  for (const auto& [name, bytes] : expected)
    EXPECT_EQ(KvBytesPerToken(Preset(name), 16), bytes) << name;
  EXPECT_EQ(KvBytesPerToken(Preset("llama-3-8b"), 8), 65536);
  EXPECT_EQ(KvBytesPerToken(Preset("llama-3-8b"), 4.5), 36864);
}

TEST(Architecture, WindowedLayersStopGrowing) {
  const Architecture mistral = Preset("mistral-7b");
  EXPECT_EQ(KvBytes(mistral, 4096, 16), KvBytes(mistral, 30000, 16));
  const Architecture gemma = Preset("gemma-2-9b");
  // 21 of 42 layers see everything: 2 x 8 x 256 numbers each.
  EXPECT_EQ(KvBytes(gemma, 8192, 16), 21 * 4096.0 * 2 * (8192 + 4096));
}

TEST(Architecture, StateSpaceLayersKeepTheSameWhateverTheLength) {
  const Architecture jamba = Preset("jamba");
  const double a = KvBytes(jamba, 1000, 16);
  EXPECT_EQ(KvBytes(jamba, 2000, 16) - a, 1000.0 * 16384);
  EXPECT_GT(a, 1000.0 * 16384);
}

std::string ErrorOf(std::string_view json) {
  const auto model = ParseConfig(json, "config.json");
  return model ? "" : model.error().message;
}

TEST(Architecture, BadConfigsNameTheField) {
  EXPECT_EQ(ErrorOf("{}"), "config.json: no model_type");
  EXPECT_EQ(ErrorOf("[]"), "config.json: not a JSON object");
  EXPECT_EQ(ErrorOf(R"({"model_type":"lama"})"),
            "config.json: model_type 'lama' is not known, did you mean "
            "'llama'?");
  EXPECT_EQ(ErrorOf(R"({"model_type":"llama"})"),
            "config.json: no hidden_size");
  EXPECT_EQ(ErrorOf(R"({"model_type":"llama","hidden_size":-4})"),
            "config.json: hidden_size is -4, not a whole number from 1 to "
            "1e+08");
  EXPECT_EQ(
      ErrorOf(R"({"model_type":"llama","hidden_size":64,"num_hidden_layers":2,
                  "num_attention_heads":4,"num_key_value_heads":3,
                  "vocab_size":10,"intermediate_size":100})"),
      "config.json: 4 heads cannot share 3 key-value heads");
}

TEST(Architecture, NestedTextConfigIsRead) {
  const auto model = ParseConfig(
      R"({"model_type":"gemma3","text_config":{"model_type":"llama",
          "hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,
          "vocab_size":10,"intermediate_size":100}})",
      "config.json");
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->parameters,
            2 * 10 * 64 + 64 + 2 * (4 * 64 * 64 + 3 * 64 * 100 + 2 * 64));
}

TEST(Architecture, ACountAloneGivesAShapeOfThatSize) {
  const auto model = TypicalArchitecture(7e9);
  ASSERT_TRUE(model);
  EXPECT_TRUE(model->shape_assumed);
  EXPECT_EQ(model->parameters, 7e9);
  EXPECT_NEAR(12.0 * model->layers * model->hidden * model->hidden, 7e9, 1e9);
  EXPECT_FALSE(TypicalArchitecture(7));
  EXPECT_FALSE(TypicalArchitecture(1e18));
}

TEST(Architecture, UnknownNamesSuggest) {
  EXPECT_EQ(FindArchitecture("llama-2-7c").error().message,
            "unknown model 'llama-2-7c', did you mean 'llama-2-7b'?");
}

}  // namespace
}  // namespace modicum
