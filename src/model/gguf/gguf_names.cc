// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/gguf_names.h"

#include <algorithm>

#include "dataset/utf8.h"

namespace modicum {
namespace {

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

}  // namespace

std::string Shown(std::string_view name) {
  constexpr size_t kLongest = 64;
  std::string text = ReplaceUnusableBytes(name.substr(0, kLongest));
  std::ranges::replace_if(text, IsControl, ' ');
  return "'" + text + (name.size() > kLongest ? "...'" : "'");
}

bool IsSoundName(std::string_view name) {
  return !name.empty() && FirstUnusableByte(name) == std::string_view::npos &&
         std::ranges::none_of(name, IsControl);
}

}  // namespace modicum
