// SPDX-License-Identifier: Apache-2.0
// The paragraphs of a manual page in roff with the man macros (man(7) of
// Linux, groff_man(7)).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace modicum {

// Running text only: headings, tags of lists, tables, examples and comments
// are left out, fonts and other escapes resolved, white space made single.
// Empty for a page with the mdoc macros and for what is not UTF-8. Never
// fails: what is malformed is read as far as it goes.
std::vector<std::string> ParagraphsOfManPage(std::string_view page);

}  // namespace modicum
