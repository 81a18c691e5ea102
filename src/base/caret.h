// SPDX-License-Identifier: Apache-2.0
// An error that shows the place in a text file, with a caret under it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace modicum {

// Both 1-based; a column counts code points.
struct TextPlace {
  size_t line = 1;
  size_t column = 1;
};

// kInvalidInput with the message
//   modicum.toml:3:8: expected '='
//     region "PL"
//            ^
// A long line is cut around the caret; what a terminal would obey is a '?'.
Error ErrorAt(std::string_view path, std::string_view text, TextPlace place,
              std::string_view problem, std::string hint = {});

}  // namespace modicum
