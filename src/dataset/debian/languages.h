// SPDX-License-Identifier: Apache-2.0
// Language identification out of translated manual pages: paragraphs with the
// language of their page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dataset/debian.h"

namespace modicum {

// Whether a paragraph is of use: 40 to 400 characters, running text.
bool IsRunningText(std::string_view text);

// At most `per_language` paragraphs of each, sorted by language, page and
// number. Left out: what is no running text, what more than one language has
// (nobody translated it), repetitions, and what is English by its function
// words on a page of another language. Which ones stay is decided by a hash of
// the text: the same ones from the same set, in whatever order.
std::vector<Paragraph> ChooseParagraphs(std::vector<Paragraph> all,
                                        size_t per_language);

// The chosen paragraphs of the unpacked pages below `folder`, which has
// .../man/man1/x.1 for English and .../man/LL[_CC]/man1/x.1 for others.
Result<std::vector<Paragraph>> ReadLanguages(const std::string& folder,
                                             const PageStep& step);

}  // namespace modicum
