// SPDX-License-Identifier: Apache-2.0
// Labelled lines of a result for the terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace modicum {

inline constexpr size_t kTextColumns = 100;  // longer lines are wrapped
inline constexpr size_t kLabelColumns = 11;

// The text in lines of at most `columns`, broken at spaces, all but the first
// after `indent` spaces. Control characters become spaces.
std::string Wrapped(const std::string& whole, size_t columns, size_t indent);

// "label    text\n"; nothing when there is no text.
std::string Line(std::string_view label, const std::string& text);

}  // namespace modicum
