// SPDX-License-Identifier: Apache-2.0
#include "model/import/hf_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/import/import_sample.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;
using Json = nlohmann::json;

constexpr char kMark[] = "\xE2\x96\x81";

HfConfig ConfigOf(const HfSample& sample) {
  auto config = ParseHfConfigText(sample.config.dump(), "config.json");
  MODICUM_CHECK(config.has_value());
  return *std::move(config);
}
Result<GgufMetadata> Convert(const HfSample& sample) {
  return ConvertTokenizerText(
      sample.tokenizer.dump(),
      sample.settings.is_null() ? "" : sample.settings.dump(), ConfigOf(sample),
      "tokenizer.json");
}
// Metadata alone as a file, for its lookups.
GgufFile Converted(const HfSample& sample) {
  GgufFile file;
  auto metadata = Convert(sample);
  EXPECT_TRUE(metadata.has_value()) << metadata.error().message;
  file.metadata = *std::move(metadata);
  return file;
}
std::string Refusal(const HfSample& sample) {
  const auto metadata = Convert(sample);
  if (metadata) return "accepted";
  EXPECT_FALSE(metadata.error().hint.empty()) << metadata.error().message;
  return metadata.error().message;
}
double At(const GgufFile& file, const char* key, uint64_t i) {
  return file.Array(key)->Number(i);
}

TEST(HfTokenizerTest, ByteFallback) {
  const GgufFile file = Converted(LlamaSample());
  EXPECT_EQ(file.Text("tokenizer.ggml.model"), "llama");
  EXPECT_EQ(file.Flag("tokenizer.ggml.add_space_prefix"), true);
  EXPECT_EQ(file.Flag("tokenizer.ggml.add_bos_token"), true);
  EXPECT_EQ(file.Flag("tokenizer.ggml.add_eos_token"), false);
  EXPECT_EQ(file.Unsigned("tokenizer.ggml.bos_token_id"), 1U);
  EXPECT_EQ(file.Unsigned("tokenizer.ggml.eos_token_id"), 2U);
  EXPECT_EQ(file.Unsigned("tokenizer.ggml.unknown_token_id"), 0U);
  EXPECT_EQ(file.Text("tokenizer.chat_template"), "{{ messages }}");
  EXPECT_EQ(file.Find("tokenizer.ggml.merges"), nullptr);
  const auto& tokens = file.Array("tokenizer.ggml.tokens")->texts;
  ASSERT_EQ(tokens.size(), 272U);
  EXPECT_EQ(tokens[3 + 10], "<0x0A>");
  EXPECT_EQ(tokens[264], std::string(kMark) + "ab");
  EXPECT_EQ(tokens[265], "[PAD265]");
  const char* types = "tokenizer.ggml.token_type";
  EXPECT_EQ(At(file, types, 0), 2);    // unknown
  EXPECT_EQ(At(file, types, 1), 3);    // control
  EXPECT_EQ(At(file, types, 13), 6);   // byte
  EXPECT_EQ(At(file, types, 260), 1);  // normal
  EXPECT_EQ(At(file, types, 271), 5);  // unused
  // In the order of the merges; what none makes comes last.
  const char* scores = "tokenizer.ggml.scores";
  EXPECT_EQ(At(file, scores, 262), 0);   // _a
  EXPECT_EQ(At(file, scores, 263), -1);  // ab
  EXPECT_EQ(At(file, scores, 264), -2);  // _ab, by its first merge
  EXPECT_LT(At(file, scores, 260), -1e8);
}

TEST(HfTokenizerTest, ByteFallbackWithMetaspace) {
  HfSample sample = LlamaSample();
  sample.tokenizer["normalizer"] = nullptr;
  auto& pre = sample.tokenizer["pre_tokenizer"];
  for (const auto& [scheme, adds] :
       {std::pair("first", true), {"always", true}, {"never", false}}) {
    pre = {{"type", "Metaspace"},
           {"replacement", kMark},
           {"prepend_scheme", scheme}};
    EXPECT_EQ(Converted(sample).Flag("tokenizer.ggml.add_space_prefix"), adds);
  }
  pre = {{"type", "Whitespace"}};
  EXPECT_EQ(Refusal(sample),
            "tokenizer.json: the pre-tokenizer 'Whitespace' "
            "is not supported beside byte fallback");
  pre = nullptr;
  sample.tokenizer["normalizer"] = {{"type", "NFKC"}};
  EXPECT_EQ(Refusal(sample),
            "tokenizer.json: the normalizer 'NFKC' is not "
            "supported beside byte fallback");
}

TEST(HfTokenizerTest, SettingsSayWhatIsAdded) {
  HfSample sample = LlamaSample();
  sample.settings["add_bos_token"] = false;
  sample.settings["add_eos_token"] = true;
  const GgufFile file = Converted(sample);
  EXPECT_EQ(file.Flag("tokenizer.ggml.add_bos_token"), false);
  EXPECT_EQ(file.Flag("tokenizer.ggml.add_eos_token"), true);
}

TEST(HfTokenizerTest, ConfigSaysWhatTheSettingsDoNot) {
  HfSample sample = LlamaSample();
  sample.settings = nullptr;
  const GgufFile file = Converted(sample);
  EXPECT_EQ(file.Unsigned("tokenizer.ggml.bos_token_id"), 1U);
  EXPECT_EQ(file.Unsigned("tokenizer.ggml.unknown_token_id"), 0U);
  EXPECT_EQ(file.Find("tokenizer.chat_template"), nullptr);
}

TEST(HfTokenizerTest, ChatTemplatesMayHaveNames) {
  HfSample sample = LlamaSample();
  sample.settings["chat_template"] = {{{"name", "tool_use"}, {"template", "t"}},
                                      {{"name", "default"}, {"template", "d"}}};
  EXPECT_EQ(Converted(sample).Text("tokenizer.chat_template"), "d");
}

TEST(HfTokenizerTest, ByteLevel) {
  const GgufFile file = Converted(PhiSample());
  EXPECT_EQ(file.Text("tokenizer.ggml.model"), "gpt2");
  EXPECT_EQ(file.Text("tokenizer.ggml.pre"), "gpt-2");
  EXPECT_THAT(file.Array("tokenizer.ggml.merges")->texts,
              ElementsAre("t h", "th e"));
  EXPECT_EQ(file.Array("tokenizer.ggml.tokens")->texts[32], "\xC4\xA0");
  EXPECT_EQ(file.Find("tokenizer.ggml.scores"), nullptr);
  EXPECT_EQ(file.Unsigned("tokenizer.ggml.bos_token_id"), 258U);
  EXPECT_EQ(file.Flag("tokenizer.ggml.add_bos_token"), false);
  EXPECT_EQ(At(file, "tokenizer.ggml.token_type", 258), 3);
}

TEST(HfTokenizerTest, KnowsPreTokenizersByTheirSteps) {
  const auto detect = [](const Json& json) {
    const auto name = DetectPreTokenizer(json, "t");
    return name ? *name : name.error().message;
  };
  const Json bytes = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  const auto split = [&](const std::string& regex,
                         const std::string& behaviour = "Isolated",
                         bool inverted = false) {
    return Json{{"type", "Sequence"},
                {"pretokenizers",
                 {{{"type", "Split"},
                   {"pattern", {{"Regex", regex}}},
                   {"behavior", behaviour},
                   {"invert", inverted}},
                  bytes}}};
  };
  // Meta-Llama-3's tokenizer.json, with its escapes.
  const std::string llama3 =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
      " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  EXPECT_EQ(detect(split(llama3)), "llama-bpe");
  EXPECT_EQ(detect(split(llama3, "Removed", true)), "llama-bpe");
  std::string qwen2 = llama3;
  qwen2.erase(qwen2.find("{1,3}"), 5);
  EXPECT_EQ(detect(split(qwen2)), "qwen2");
  EXPECT_EQ(
      detect(Json{{"type", "Sequence"},
                  {"pretokenizers",
                   {{{"type", "Digits"}, {"individual_digits", true}},
                    {{"type", "ByteLevel"}, {"add_prefix_space", false}}}}}),
      "smollm");
  EXPECT_EQ(detect(split(llama3, "Merged")).substr(0, 45),
            "t: the pre-tokenizer is not known: Split '(?i");
  EXPECT_EQ(detect(split("\\d")),
            "t: the pre-tokenizer is not known: Split '\\d', bytes");
  EXPECT_EQ(detect(Json{{"type", "ByteLevel"}, {"add_prefix_space", true}}),
            "t: the pre-tokenizer is not known: ByteLevel with a space put in "
            "front");
  EXPECT_EQ(detect(nullptr), "t: the pre-tokenizer is not known: none");
}

TEST(HfTokenizerTest, WordPieceMarksWhereWordsBegin) {
  const GgufFile file = Converted(BertSample());
  EXPECT_EQ(file.Text("tokenizer.ggml.model"), "bert");
  const auto& tokens = file.Array("tokenizer.ggml.tokens")->texts;
  EXPECT_EQ(tokens[2], "[CLS]");
  EXPECT_EQ(tokens[5], std::string(kMark) + "a");
  EXPECT_EQ(tokens[31], "a");
  EXPECT_EQ(file.Unsigned("tokenizer.ggml.token_type_count"), 2U);
  EXPECT_EQ(file.Unsigned("tokenizer.ggml.bos_token_id"), 2U);
  EXPECT_EQ(file.Unsigned("tokenizer.ggml.eos_token_id"), 3U);
  EXPECT_EQ(file.Unsigned("tokenizer.ggml.seperator_token_id"), 3U);
  EXPECT_EQ(file.Unsigned("tokenizer.ggml.unknown_token_id"), 1U);
  EXPECT_EQ(file.Unsigned("tokenizer.ggml.padding_token_id"), 0U);
  EXPECT_EQ(file.Unsigned("tokenizer.ggml.mask_token_id"), 4U);
  EXPECT_EQ(file.Flag("tokenizer.ggml.normalizer.lowercase"), true);
  EXPECT_EQ(file.Find("tokenizer.ggml.normalizer.strip_accents"), nullptr);
  HfSample cased = BertSample();
  cased.tokenizer["normalizer"]["lowercase"] = false;
  cased.tokenizer["normalizer"]["strip_accents"] = false;
  EXPECT_EQ(Converted(cased).Flag("tokenizer.ggml.normalizer.lowercase"),
            false);
  EXPECT_EQ(Converted(cased).Flag("tokenizer.ggml.normalizer.strip_accents"),
            false);
}

TEST(HfTokenizerTest, NamesWhatIsWrong) {
  const auto with = [](HfSample sample, const char* pointer, Json value) {
    sample.tokenizer[Json::json_pointer(pointer)] = std::move(value);
    return Refusal(sample);
  };
  const HfSample llama = LlamaSample();
  EXPECT_EQ(with(llama, "/model", 1), "tokenizer.json: it has no 'model'");
  EXPECT_EQ(with(llama, "/model/type", "Unigram"),
            "tokenizer.json: a tokenizer of type 'Unigram' is not supported "
            "for LlamaForCausalLM");
  EXPECT_EQ(with(llama, "/model/vocab", Json::object()),
            "tokenizer.json: 'model.vocab' is missing or empty");
  EXPECT_EQ(with(llama, "/model/vocab/x", 272),
            "tokenizer.json: token 'x' has the id 272, config.json says that "
            "the vocabulary has 272 tokens");
  EXPECT_EQ(with(llama, "/model/vocab/x", -1),
            "tokenizer.json: token 'x' has no whole number for its id");
  EXPECT_EQ(with(llama, "/model/vocab/x", 1),
            "tokenizer.json: the tokens '<s>' and 'x' both have the id 1");
  EXPECT_EQ(with(llama, "/model/merges", Json::array()),
            "tokenizer.json: a vocabulary without merges: 'model.merges' is "
            "missing or empty");
  EXPECT_EQ(with(llama, "/model/merges/1", "ab"),
            "tokenizer.json: merge 1 is not two tokens");
  EXPECT_EQ(with(llama, "/model/merges/1", "b a"),
            "tokenizer.json: merge 1 is of 'b' and 'a', and 'ba' is no token");
  EXPECT_EQ(with(llama, "/added_tokens", 1),
            "tokenizer.json: 'added_tokens' is no list");
  EXPECT_EQ(with(llama, "/added_tokens/0", Json::object()),
            "tokenizer.json: added token 0 has no id or no content");
  EXPECT_EQ(with(llama, "/added_tokens/0/id", 300),
            "tokenizer.json: token '<unk>' has the id 300, config.json says "
            "that the vocabulary has 272 tokens");
  EXPECT_EQ(with(llama, "/added_tokens/0/id", 270),
            "tokenizer.json: token '<unk>' has the ids 0 and 270");
  const HfSample bert = BertSample();
  EXPECT_EQ(with(bert, "/model/continuing_subword_prefix", "@@"),
            "tokenizer.json: 'model.continuing_subword_prefix' is not '##'");
  EXPECT_EQ(with(bert, "/pre_tokenizer", nullptr),
            "tokenizer.json: the pre-tokenizer is not BertPreTokenizer");
  EXPECT_EQ(with(bert, "/normalizer/type", "NFKC"),
            "tokenizer.json: the normalizer 'NFKC' is not supported beside "
            "WordPiece");
  EXPECT_EQ(with(PhiSample(), "/normalizer", Json{{"type", "Lowercase"}}),
            "tokenizer.json: the normalizer 'Lowercase' is not supported");
}

}  // namespace
}  // namespace modicum
