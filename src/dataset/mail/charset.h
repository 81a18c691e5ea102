// SPDX-License-Identifier: Apache-2.0
// Bytes of any charset to UTF-8. Never fails: what a mail declares is tried,
// then what senders without a declaration mean.
#pragma once

#include <string>
#include <string_view>

namespace modicum {

// U+FFFD for what is no character.
void AppendCodePoint(char32_t code_point, std::string& out);

// The code point of a byte in windows-1252 as the WHATWG Encoding Standard
// maps it: total, so that it serves as last resort.
char32_t FromWindows1252(unsigned char byte);

// `charset` may be empty, wrong or unknown.
std::string ToUtf8(std::string_view bytes, std::string_view charset);

}  // namespace modicum
