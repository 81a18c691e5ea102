// SPDX-License-Identifier: Apache-2.0
#include "base/caret.h"

#include <fmt/format.h>

#include <algorithm>

namespace modicum {
namespace {

constexpr size_t kWidth = 72;  // code points of the line that are shown

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// Neither a control character nor a byte that UTF-8 never has.
bool IsHarmless(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte != 0x7F && byte < 0xF5;
}

std::string_view LineOf(std::string_view text, size_t line) {
  for (; line > 1; --line) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return text;
}

// Code points [from, from + kWidth) of the line, harmless on a terminal.
std::string Shown(std::string_view line, size_t from) {
  std::string out;
  size_t index = 0;
  for (const char c : line) {
    if (!IsContinuation(c)) ++index;  // 1-based index of this code point
    if (index <= from || index > from + kWidth) continue;
    out += c == '\t' ? ' ' : IsHarmless(c) ? c : '?';
  }
  return out;
}

}  // namespace

Error ErrorAt(std::string_view path, std::string_view text, TextPlace place,
              std::string_view problem, std::string hint) {
  const size_t column = std::max<size_t>(place.column, 1) - 1;
  const size_t from = column < kWidth ? 0 : column - kWidth / 2;
  return Error{
      ErrorCode::kInvalidInput,
      fmt::format("{}:{}:{}: {}\n    {}\n    {:>{}}", path, place.line,
                  place.column, problem, Shown(LineOf(text, place.line), from),
                  '^', column - from + 1),
      std::move(hint)};
}

}  // namespace modicum
