// SPDX-License-Identifier: Apache-2.0
// Words and numbers in the kernel's text files.
#pragma once

#include <algorithm>
#include <charconv>
#include <string_view>

namespace modicum {

// All of `text` as a decimal integer.
template <class Integer>
bool ParseNumber(std::string_view text, Integer& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end && !text.empty();
}

// The next word of `text`, which is cut behind it; "" at the end.
inline std::string_view TakeWord(std::string_view& text) {
  const size_t start = std::min(text.find_first_not_of(" \t\n"), text.size());
  text.remove_prefix(start);
  const size_t length = std::min(text.find_first_of(" \t\n"), text.size());
  const std::string_view word = text.substr(0, length);
  text.remove_prefix(length);
  return word;
}

// What stands before the next `end`, which is cut with it; all of `text` where
// there is none.
inline std::string_view TakeUntil(std::string_view& text, char end) {
  const size_t length = std::min(text.find(end), text.size());
  const std::string_view part = text.substr(0, length);
  text.remove_prefix(std::min(length + 1, text.size()));
  return part;
}

}  // namespace modicum
