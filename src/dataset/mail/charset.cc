// SPDX-License-Identifier: Apache-2.0
#include "dataset/mail/charset.h"

#include <iconv.h>

#include <array>
#include <cerrno>
#include <optional>

#include "base/ascii.h"
#include "dataset/utf8.h"

namespace modicum {
namespace {

// 0x80 to 0x9F in windows-1252 (encoding.spec.whatwg.org/index-windows-1252).
constexpr std::array<char16_t, 32> kC1 = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
    0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D, 0x017D, 0x008F,
    0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
    0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

// Charsets in which bytes below 0x80 are ASCII and nothing is to be decided:
// what is valid UTF-8 is taken as such. Also "windows-1252" under the names
// that mails use for it.
bool IsWestern(std::string_view charset) {
  for (const std::string_view name :
       {"", "us-ascii", "ascii", "utf-8", "utf8", "iso-8859-1", "latin1",
        "windows-1252", "cp1252", "unknown-8bit", "8bit", "default"})
    if (charset == name) return true;
  return false;
}

std::string Windows1252(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes)
    AppendCodePoint(FromWindows1252(static_cast<unsigned char>(c)), text);
  return text;
}

// nullopt when the charset is unknown. A byte it does not have becomes U+FFFD.
std::optional<std::string> Iconv(std::string_view bytes,
                                 const std::string& charset) {
  const iconv_t converter = iconv_open("UTF-8", charset.c_str());
  // iconv_open's failure value is (iconv_t)-1.
  if (reinterpret_cast<intptr_t>(converter) == -1) return std::nullopt;
  std::string text;
  std::array<char, 4096> block{};
  // iconv does not write through its input pointer.
  char* in = const_cast<char*>(bytes.data());
  size_t left = bytes.size();
  bool flushed = false;
  while (!flushed) {
    char* out = block.data();
    size_t room = block.size();
    flushed = left == 0;  // what a converter still holds back comes last
    const size_t result =
        iconv(converter, flushed ? nullptr : &in, &left, &out, &room);
    const int error = errno;
    text.append(block.data(), block.size() - room);
    if (flushed || result != static_cast<size_t>(-1) || error == E2BIG)
      continue;
    text += kReplacementCharacter;
    ++in;
    --left;
  }
  iconv_close(converter);
  return text;
}

}  // namespace

void AppendCodePoint(char32_t code_point, std::string& out) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
  const auto tail = [&](int shift) {
    put(0x80 | (code_point >> shift & 0x3F));
  };
  if (code_point == 0 || code_point > 0x10FFFF ||
      (code_point >= 0xD800 && code_point <= 0xDFFF)) {
    out += kReplacementCharacter;
  } else if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
    tail(0);
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    tail(6);
    tail(0);
  } else {
    put(0xF0 | code_point >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

char32_t FromWindows1252(unsigned char byte) {
  return byte >= 0x80 && byte < 0xA0 ? char32_t{kC1[byte - 0x80U]}
                                     : char32_t{byte};
}

std::string ToUtf8(std::string_view bytes, std::string_view charset) {
  const std::string name = LowerAscii(charset);
  if (!IsWestern(name)) {
    if (auto text = Iconv(bytes, name)) return *std::move(text);
  }
  if (FirstBadByte(bytes) == std::string_view::npos) return std::string(bytes);
  return Windows1252(bytes);
}

}  // namespace modicum
