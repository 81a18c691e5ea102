// SPDX-License-Identifier: Apache-2.0
// UTF-8 as the Unicode standard defines it (table 3-7): no overlong forms, no
// surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace modicum {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Offset of the first byte that is not part of valid UTF-8; npos when all is.
size_t FirstBadByte(std::string_view text);
// Offset of the first NUL or invalid byte; npos when there is none.
size_t FirstUnusableByte(std::string_view text);
// Each maximal invalid part and each NUL becomes U+FFFD.
std::string ReplaceUnusableBytes(std::string_view text);
// `text` cut to at most `bytes` without splitting a character.
std::string_view CutUtf8(std::string_view text, size_t bytes);

}  // namespace modicum
