// SPDX-License-Identifier: Apache-2.0
#include "model/prompt_spec.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

namespace modicum {

namespace {

using Json = nlohmann::json;

constexpr char kPromptFormat[] = "modicum-prompt-1";
constexpr std::string_view kText = "{text}";
constexpr std::string_view kLabelMark = "{label}";
constexpr size_t kMostWords = 10000;

auto Refuse(std::string what) {
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("{}: {}", kPromptFile, what),
              "'modicum fit' writes it; make the artifact again");
}

// The form's parts: before the text, between text and label, after it. The
// space before the label is in neither.
struct Form {
  std::string_view before, between, space, after;
};

Form SplitForm(std::string_view form) {
  const size_t text = form.find(kText);
  const size_t label = form.find(kLabelMark);
  Form parts;
  parts.before = form.substr(0, text);
  parts.between = form.substr(text + kText.size(), label - text - kText.size());
  const size_t end = parts.between.find_last_not_of(' ') + 1;
  parts.space = parts.between.substr(end);
  parts.between = parts.between.substr(0, end);
  parts.after = form.substr(label + kLabelMark.size());
  return parts;
}

bool Once(std::string_view form, std::string_view part) {
  const size_t at = form.find(part);
  return at != form.npos && form.find(part, at + 1) == form.npos;
}

}  // namespace

Status CheckPrompt(const PromptSpec& spec) {
  if (!Once(spec.form, kText) || !Once(spec.form, kLabelMark) ||
      spec.form.find(kText) > spec.form.find(kLabelMark))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("the prompt template \"{}\" must have {} once, and "
                            "after it {} once",
                            spec.form, kText, kLabelMark),
                fmt::format("for instance \"{}\"", kPromptTemplate));
  if (spec.words.size() < 2)
    return Fail(ErrorCode::kInvalidInput, "a prompt needs two labels or more");
  const std::set<std::string> distinct(spec.words.begin(), spec.words.end());
  for (const std::string& word : distinct)
    if (word.find_first_not_of(" \t\r\n") == word.npos)
      return Fail(ErrorCode::kInvalidInput, "a label's word is blank",
                  "give every label a word of its own in [prompt.labels]");
  if (distinct.size() != spec.words.size())
    return Fail(ErrorCode::kInvalidInput, "two labels have the same word",
                "give every label a word of its own in [prompt.labels]");
  return {};
}

std::string PromptFor(const PromptSpec& spec, std::string_view text) {
  const Form form = SplitForm(spec.form);
  std::string prompt;
  for (const PromptExample& example : spec.examples)
    prompt +=
        fmt::format("{}{}{}{}{}{}", form.before, example.text, form.between,
                    form.space, spec.words[example.label], form.after);
  return prompt + fmt::format("{}{}{}", form.before, text, form.between);
}

std::string LabelText(const PromptSpec& spec, size_t label) {
  return std::string(SplitForm(spec.form).space) + spec.words[label];
}

std::string EncodePrompt(const PromptSpec& spec) {
  Json examples = Json::array();
  for (const PromptExample& example : spec.examples)
    examples.push_back({{"text", example.text}, {"label", example.label}});
  return Json{{"format", kPromptFormat},
              {"template", spec.form},
              {"words", spec.words},
              {"examples", examples},
              {"prior", spec.prior}}
             .dump(1) +
         "\n";
}

Result<PromptSpec> DecodePrompt(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("format", Json()) != kPromptFormat)
    return Refuse("it is not a prompt this program wrote");
  PromptSpec spec;
  try {
    spec.form = json.at("template").get<std::string>();
    spec.words = json.at("words").get<std::vector<std::string>>();
    spec.prior = json.at("prior").get<std::vector<double>>();
    for (const Json& example : json.at("examples"))
      spec.examples.push_back({example.at("text").get<std::string>(),
                               example.at("label").get<uint32_t>()});
  } catch (const Json::exception&) {
    return Refuse("template, words, prior or examples are not as written");
  }
  if (spec.words.size() > kMostWords) return Refuse("it has too many words");
  if (!spec.prior.empty() && spec.prior.size() != spec.words.size())
    return Refuse("it has not one prior for each word");
  for (const double prior : spec.prior)
    if (!std::isfinite(prior)) return Refuse("a prior is not finite");
  for (const PromptExample& example : spec.examples)
    if (example.label >= spec.words.size())
      return Refuse("an example has a label that there is no word for");
  if (const Status whole = CheckPrompt(spec); !whole)
    return Refuse(whole.error().message);
  return spec;
}

}  // namespace modicum
