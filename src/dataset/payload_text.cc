// SPDX-License-Identifier: Apache-2.0
#include "dataset/payload_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace modicum {

std::string PayloadText(const Payload& payload) {
  if (const auto* text = std::get_if<Text>(&payload)) return text->text;
  if (const auto* pair = std::get_if<TextPair>(&payload))
    return pair->first + "\n" + pair->second;
  if (const auto* tokens = std::get_if<Tokens>(&payload))
    return fmt::format("{}", fmt::join(tokens->words, " "));
  return {};
}

bool IsText(const Payload& payload) {
  return !std::holds_alternative<Image>(payload) &&
         !std::holds_alternative<Audio>(payload) &&
         !std::holds_alternative<Numbers>(payload);
}

std::vector<std::string_view> SplitWords(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  std::vector<std::string_view> words;
  for (size_t at = text.find_first_not_of(kSpace); at < text.size();) {
    const size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kSpace, end);
  }
  return words;
}

}  // namespace modicum
