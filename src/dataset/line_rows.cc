// SPDX-License-Identifier: Apache-2.0
#include "dataset/line_rows.h"

#include <fmt/format.h>

#include <utility>

#include "dataset/utf8.h"

namespace modicum {
namespace {

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

tl::unexpected<Error> BadByte(const LineReader& lines, std::string_view text,
                              size_t offset) {
  if (lines.line() == 1 &&
      (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")))
    return At(lines, "the file is UTF-16, not UTF-8",
              "convert it with iconv -f UTF-16 -t UTF-8");
  const int byte = static_cast<unsigned char>(text[offset]);
  if (byte == 0)
    return At(lines, fmt::format("byte {} is NUL, which no text has", offset),
              "is this a text file? or set bad_bytes=replace");
  return At(lines,
            fmt::format("byte {} is not valid UTF-8 (0x{:02X})", offset, byte),
            "convert the file with iconv -f WINDOWS-1252 -t UTF-8, or set "
            "bad_bytes=replace");
}

}  // namespace

tl::unexpected<Error> At(const LineReader& lines, std::string_view message,
                         std::string hint) {
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("{}: {}", lines.Where(), message), std::move(hint));
}

tl::unexpected<Error> At(const LineReader& lines, const Error& error) {
  return At(lines, error.message, error.hint);
}

Result<std::optional<std::string_view>> LineRows::NextLine() {
  MODICUM_TRY(const auto line, lines_.Next());
  if (!line) return line;
  MODICUM_TRY(const std::string_view usable, Usable(*line));
  return std::optional(usable);
}

Result<std::optional<std::string_view>> LineRows::NextFilledLine() {
  while (true) {
    MODICUM_TRY(const auto line, NextLine());
    if (!line || !IsBlank(*line)) return line;
  }
}

Result<std::string_view> LineRows::Usable(std::string_view text) {
  const size_t bad = FirstUnusableByte(text);
  if (bad == std::string_view::npos) return text;
  if (options_.bad_bytes == BadBytes::kRefuse)
    return BadByte(lines_, text, bad);
  replaced_ = ReplaceUnusableBytes(text);
  return std::string_view(replaced_);
}

Status LineRows::CheckLabel(std::string_view label) const {
  if (!IsBlank(label)) return {};
  return At(lines_, "the label is blank", "give the row a label or remove it");
}

}  // namespace modicum
