// SPDX-License-Identifier: Apache-2.0
// For tests: whether a page's tags are balanced and what they contain.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace modicum {

// "" when every tag that is opened is closed in order; else the fault.
inline std::string TagFault(std::string_view html) {
  static const std::set<std::string_view> kVoid{"meta", "br", "!DOCTYPE"};
  std::vector<std::string> open;
  for (size_t at = html.find('<'); at != std::string_view::npos;
       at = html.find('<', at)) {
    const size_t end = html.find('>', at);
    if (end == std::string_view::npos) return "unclosed '<'";
    const std::string_view tag = html.substr(at + 1, end - at - 1);
    at = end;
    if (tag.find('<') != std::string_view::npos)
      return "'<' inside of " + std::string(tag);
    if (tag.starts_with("/")) {
      const std::string_view name = tag.substr(1);
      if (open.empty() || open.back() != name)
        return "unexpected </" + std::string(name) + ">";
      open.pop_back();
      continue;
    }
    const std::string_view name = tag.substr(0, tag.find_first_of(" \n"));
    if (tag.ends_with("/") || kVoid.count(name) > 0) continue;
    open.emplace_back(name);
  }
  return open.empty() ? "" : "<" + open.back() + "> is not closed";
}

// How often `text` occurs.
inline size_t CountOf(std::string_view html, std::string_view text) {
  size_t count = 0;
  for (size_t at = html.find(text); at != std::string_view::npos;
       at = html.find(text, at + text.size()))
    ++count;
  return count;
}

}  // namespace modicum
