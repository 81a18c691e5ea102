// SPDX-License-Identifier: Apache-2.0
// What a decoder is asked, and its file, prompt.json: how a text becomes a
// prompt, the word that stands for each label, the examples shown before it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace modicum {

inline constexpr char kPromptFile[] = "prompt.json";

// "{text}" and "{label}" stand for the item's; what follows the label parts
// an example from the next.
inline constexpr char kPromptTemplate[] = "Text: {text}\nLabel: {label}\n\n";

struct PromptExample {
  std::string text;
  uint32_t label = 0;  // index into words
  friend bool operator==(const PromptExample&, const PromptExample&) = default;
};

struct PromptSpec {
  std::string form = kPromptTemplate;
  std::vector<std::string> words;       // one a label
  std::vector<PromptExample> examples;  // in the order shown
  // Natural log-probability of each word after a prompt that says nothing:
  // taken off, so that a word that is likely anyway is not preferred (Zhao et
  // al. 2021, Calibrate Before Use, section 5). Empty: not calibrated.
  std::vector<double> prior;

  friend bool operator==(const PromptSpec&, const PromptSpec&) = default;
};

// kInvalidInput: the form lacks {text}, or {label} after it, or has one twice;
// there are less than two words, or two are alike.
Status CheckPrompt(const PromptSpec& spec);

// All that comes before the item's label, examples included; no space at the
// end: it belongs to the label.
std::string PromptFor(const PromptSpec& spec, std::string_view text);
// The label's words as they follow PromptFor: with the space before them.
std::string LabelText(const PromptSpec& spec, size_t label);

std::string EncodePrompt(const PromptSpec& spec);
// kInvalidInput for anything EncodePrompt cannot have written.
Result<PromptSpec> DecodePrompt(std::string_view json);

}  // namespace modicum
