// SPDX-License-Identifier: Apache-2.0
// The readable text of HTML as mails have it.
#pragma once

#include <string>
#include <string_view>

namespace modicum {

// Text between the tags, entities decoded, white space collapsed, block
// elements on lines of their own; script, style and title left out. Linear in
// the input and without recursion, whatever the nesting. Expects UTF-8.
std::string HtmlToText(std::string_view html);
// Whether a part that says it is plain text is HTML all the same.
bool LooksLikeHtml(std::string_view text);

}  // namespace modicum
