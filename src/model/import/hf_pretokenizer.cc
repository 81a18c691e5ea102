// SPDX-License-Identifier: Apache-2.0
// A pre-tokenizer is known by the steps it takes, told from the file itself:
// the expressions are those of the tokenizer.json of each family, as
// llama-vocab.cpp of llama.cpp v0.5.0 cites them.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "model/gguf/gguf_names.h"
#include "model/import/hf_tokenizer.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

#define MODICUM_WORDS(letters)                                        \
  R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|)" letters \
  R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"

constexpr std::string_view kLlama3 = MODICUM_WORDS(R"(\p{N}{1,3})");
constexpr std::string_view kQwen2 = MODICUM_WORDS(R"(\p{N})");
#undef MODICUM_WORDS
constexpr std::string_view kTekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*)"
    R"([\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+)"
    R"([\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
    R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct Known {
  std::string_view steps;  // as StepOf writes them
  std::string_view name;
};
constexpr Known kKnown[] = {
    {"bytes by words", "gpt-2"},     {"digits, bytes by words", "smollm"},
    {"split 1, bytes", "llama-bpe"}, {"split 2, bytes", "qwen2"},
    {"split 3, bytes", "tekken"},
};

std::string Text(const Json& json, std::string_view key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>()
                                                   : std::string();
}
bool Flag(const Json& json, std::string_view key, bool otherwise) {
  const auto found = json.find(key);
  return found != json.end() && found->is_boolean() ? found->get<bool>()
                                                    : otherwise;
}

// "split N" for the Nth expression that is known.
std::string SplitStep(const Json& step) {
  const std::string behaviour = Text(step, "behavior");
  const bool inverted = Flag(step, "invert", false);
  const bool whole = (behaviour == "Isolated" && !inverted) ||
                     (behaviour == "Removed" && inverted);
  const auto pattern = step.find("pattern");
  const std::string regex = pattern != step.end() && pattern->is_object()
                                ? Text(*pattern, "Regex")
                                : std::string();
  if (whole && regex == kLlama3) return "split 1";
  if (whole && regex == kQwen2) return "split 2";
  if (whole && regex == kTekken) return "split 3";
  return fmt::format("Split {}", Shown(regex));
}

std::string StepOf(const Json& step) {
  const std::string type = step.is_object() ? Text(step, "type") : "";
  if (type == "ByteLevel" && !Flag(step, "add_prefix_space", true))
    return Flag(step, "use_regex", true) ? "bytes by words" : "bytes";
  if (type == "Digits" && Flag(step, "individual_digits", false))
    return "digits";
  if (type == "Split") return SplitStep(step);
  if (type == "ByteLevel") return "ByteLevel with a space put in front";
  return type.empty() ? "a step without a type" : Shown(type);
}

std::string StepsOf(const Json& pre_tokenizer) {
  if (!pre_tokenizer.is_object()) return "none";
  const auto steps = pre_tokenizer.find("pretokenizers");
  if (Text(pre_tokenizer, "type") != "Sequence" ||
      steps == pre_tokenizer.end() || !steps->is_array())
    return StepOf(pre_tokenizer);
  std::vector<std::string> texts;
  for (const Json& step : *steps) texts.push_back(StepOf(step));
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace

Result<std::string> DetectPreTokenizer(const Json& pre_tokenizer,
                                       const std::string& name) {
  const std::string steps = StepsOf(pre_tokenizer);
  for (const Known& known : kKnown)
    if (known.steps == steps) return std::string(known.name);
  return Fail(
      ErrorCode::kInvalidInput,
      fmt::format("{}: the pre-tokenizer is not known: {}", name, steps),
      "those of GPT-2, Llama 3, Qwen 2, SmolLM and Mistral's Tekken "
      "are; get a GGUF file of this model instead");
}

}  // namespace modicum
