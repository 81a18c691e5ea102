// SPDX-License-Identifier: Apache-2.0
#include "report/lines.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/terminal.h"

namespace modicum {
namespace {

// A class may be named with a line end, or with what moves the cursor.
std::string Plain(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  return text;
}

}  // namespace

std::string Wrapped(const std::string& whole, size_t columns, size_t indent) {
  const std::string plain = Plain(whole);
  std::string_view text = plain;
  std::string out;
  size_t used = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t width = DisplayWidth(word);
    if (used > 0 && used + 1 + width > columns) {
      out += '\n' + std::string(indent, ' ');
      used = 0;
    } else if (used > 0) {
      out += ' ';
      ++used;
    }
    out += word;
    used += width;
  }
  return out;
}

std::string Line(std::string_view label, const std::string& text) {
  if (text.empty()) return {};
  return fmt::format(
      "{:<{}}{}\n", label, kLabelColumns,
      Wrapped(text, kTextColumns - kLabelColumns, kLabelColumns));
}

}  // namespace modicum
