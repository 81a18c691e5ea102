// SPDX-License-Identifier: Apache-2.0
#include "cli/block_text.h"

#include <fmt/format.h>

#include "base/terminal.h"

namespace modicum {
namespace {

constexpr size_t kWidth = 80;
constexpr size_t kNameWidth = 10;

// `head` and the words of `text`; further lines begin `indent` columns deep.
std::string Wrapped(std::string head, std::string_view text, size_t indent) {
  std::string out;
  std::string line = std::move(head);
  bool has_words = false;
  while (!text.empty()) {
    // A word keeps the spaces before it: columns inside a line stay columns.
    size_t end = text.find_first_not_of(' ');
    end = end == std::string_view::npos ? text.size() : text.find(' ', end);
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(word.size());
    if (has_words && DisplayWidth(line) + DisplayWidth(word) > kWidth) {
      out += line + '\n';
      line = std::string(indent, ' ');
      line += word.substr(word.find_first_not_of(' '));
    } else {
      line += word;
    }
    has_words = true;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return out + line + '\n';
}

}  // namespace

std::string BlockLine(std::string_view name, std::string_view text) {
  return Wrapped(fmt::format("{:<{}}", name, kNameWidth), text, kNameWidth + 4);
}

std::string BlockDetail(std::string_view text) {
  return Wrapped(std::string(kNameWidth + 2, ' '), text, kNameWidth + 4);
}

std::string BlockFault(std::string_view reason, std::string_view cure) {
  const std::string text = BlockDetail(reason);
  return cure.empty() ? text
                      : text + BlockDetail(fmt::format("cure: {}", cure));
}

}  // namespace modicum
