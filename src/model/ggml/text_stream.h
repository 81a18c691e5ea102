// SPDX-License-Identifier: Apache-2.0
// Tokens may end inside a character: text goes out in whole ones.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "dataset/utf8.h"

namespace modicum {

// Length of `text` without a last character that has begun and not ended.
// Bytes that begin no character count as they are.
inline size_t WholeCharacters(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
    return byte >= 0xC2 && byte <= 0xF4 && length > back ? text.size() - back
                                                         : text.size();
  }
  return text.size();
}

// What the pieces say, in valid UTF-8: bytes of no character, and NUL, become
// U+FFFD where the sequence breaks or the text ends.
class TextStream {
 public:
  explicit TextStream(const std::function<bool(std::string_view)>& out)
      : out_(out) {}

  // False when the reader wants no more.
  bool Add(std::string_view piece) {
    waiting_ += piece;
    return Send(WholeCharacters(waiting_));
  }
  // Sends what waits for an end that does not come.
  bool Finish() { return Send(waiting_.size()); }
  // What was sent.
  std::string Take() { return std::move(text_); }

 private:
  bool Send(size_t bytes) {
    if (bytes == 0) return true;
    const std::string whole =
        ReplaceUnusableBytes(std::string_view(waiting_).substr(0, bytes));
    waiting_.erase(0, bytes);
    text_ += whole;
    return !out_ || out_(whole);
  }

  const std::function<bool(std::string_view)>& out_;
  std::string waiting_;  // bytes
  std::string text_;
};

}  // namespace modicum
