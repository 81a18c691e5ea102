// SPDX-License-Identifier: Apache-2.0
// How answers to questions are compared: as SQuAD's own evaluation does
// (Rajpurkar et al. 2016, evaluate-v1.1).
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace modicum {

// Lower case, without punctuation (ASCII's) and the articles a, an and the,
// words with one space between.
std::string NormalizedAnswer(std::string_view text);

// Whether it equals one of those wanted, all normalized.
bool IsExactAnswer(std::string_view answer,
                   std::span<const std::string> wanted);
// Of its words with those of each that is wanted, the best F1; of nothing with
// nothing 0, as there.
double AnswerF1(std::string_view answer, std::span<const std::string> wanted);
// By the metric's name: "exact-match" or "f1".
double AnswerScore(std::string_view metric, std::string_view answer,
                   std::span<const std::string> wanted);

}  // namespace modicum
