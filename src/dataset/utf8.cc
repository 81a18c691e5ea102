// SPDX-License-Identifier: Apache-2.0
#include "dataset/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace modicum {
namespace {

bool Within(std::string_view text, size_t at, int low, int high) {
  if (at >= text.size()) return false;
  const int byte = static_cast<unsigned char>(text[at]);
  return byte >= low && byte <= high;
}

// The range of the second byte keeps overlong forms and surrogates out.
struct Lead {
  size_t length;  // 0: no character begins with this byte
  int second_low = 0x80;
  int second_high = 0xBF;
};

Lead LeadOf(unsigned char byte) {
  if (byte < 0x80) return {1};
  if (byte >= 0xC2 && byte <= 0xDF) return {2};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {3};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {4};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0};
}

// How many bytes at `at` belong together, and whether they are a character;
// if not, they are the maximal invalid part (Unicode 3.9, U+FFFD practice).
struct Part {
  size_t length;
  bool valid;
};

Part PartAt(std::string_view text, size_t at) {
  const Lead lead = LeadOf(static_cast<unsigned char>(text[at]));
  if (lead.length <= 1) return {1, lead.length == 1};
  if (!Within(text, at + 1, lead.second_low, lead.second_high))
    return {1, false};
  for (size_t i = 2; i < lead.length; ++i)
    if (!Within(text, at + i, 0x80, 0xBF)) return {i, false};
  return {lead.length, true};
}

// Most text is ASCII: eight bytes at a time.
size_t SkipAscii(std::string_view text, size_t at) {
  constexpr uint64_t kHighBits = 0x8080808080808080ULL;
  while (at + sizeof(uint64_t) <= text.size()) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof(word));
    if ((word & kHighBits) != 0) break;
    at += sizeof(word);
  }
  while (at < text.size() && static_cast<signed char>(text[at]) >= 0) ++at;
  return at;
}

}  // namespace

size_t FirstBadByte(std::string_view text) {
  size_t at = 0;
  while ((at = SkipAscii(text, at)) < text.size()) {
    const Part part = PartAt(text, at);
    if (!part.valid) return at;
    at += part.length;
  }
  return std::string_view::npos;
}

size_t FirstUnusableByte(std::string_view text) {
  return std::min(text.find('\0'), FirstBadByte(text));
}

std::string ReplaceUnusableBytes(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Part part = PartAt(text, at);
    if (part.valid && text[at] != '\0')
      clean += text.substr(at, part.length);
    else
      clean += kReplacementCharacter;
    at += part.length;
  }
  return clean;
}

std::string_view CutUtf8(std::string_view text, size_t bytes) {
  if (bytes >= text.size()) return text;
  while (bytes > 0 && Within(text, bytes, 0x80, 0xBF)) --bytes;
  return text.substr(0, bytes);
}

}  // namespace modicum
