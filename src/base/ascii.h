// SPDX-License-Identifier: Apache-2.0
// Letters A to Z without regard to case, the same in every locale; other bytes
// are left as they are.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace modicum {

constexpr char LowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

inline std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = LowerAscii(c);
  return lower;
}

inline bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return LowerAscii(x) == LowerAscii(y);
  });
}

}  // namespace modicum
