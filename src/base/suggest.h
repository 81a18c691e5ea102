// SPDX-License-Identifier: Apache-2.0
// "did you mean": the candidate nearest to a mistyped word.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace modicum {

// The candidate at the smallest Damerau-Levenshtein distance, when that is at
// most a third of the word's length (and at least 1 is allowed); else "".
std::string Nearest(std::string_view word,
                    std::span<const std::string_view> candidates);
// ", did you mean 'x'?" to end a message with; "" when nothing is near.
std::string DidYouMean(std::string_view word,
                       std::span<const std::string_view> candidates);

}  // namespace modicum
