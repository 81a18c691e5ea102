// SPDX-License-Identifier: Apache-2.0
// White space off both ends of a text.
#pragma once

#include <string_view>

namespace modicum {

// Spaces, tabs and line ends; what else may be blank is left alone.
constexpr std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace modicum
