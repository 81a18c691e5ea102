// SPDX-License-Identifier: Apache-2.0
// "KEY=VALUE", as tags are written.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace modicum {

// What stands before and behind the first '='; nullopt where there is none, or
// no key. The value may be empty.
inline std::optional<std::pair<std::string, std::string>> ParseKeyValue(
    std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos) return std::nullopt;
  return std::pair(std::string(text.substr(0, equals)),
                   std::string(text.substr(equals + 1)));
}

}  // namespace modicum
