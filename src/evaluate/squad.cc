// SPDX-License-Identifier: Apache-2.0
#include "evaluate/squad.h"

#include <algorithm>
#include <map>
#include <vector>

#include "dataset/payload_text.h"
#include "model/text_hasher.h"

namespace modicum {
namespace {

bool IsAsciiPunctuation(char32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') ||
         (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

// The blanks that Python's str.split() splits at.
bool IsUnicodeBlank(char32_t c) {
  return c == ' ' || (c >= 0x9 && c <= 0xD) || (c >= 0x1C && c <= 0x1F) ||
         c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000;
}

bool IsLetter(char32_t c) {
  return c < 128 ? (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
                 : internal::IsWordCharacter(c);
}

bool IsArticle(std::string_view word) {
  return word == "a" || word == "an" || word == "the";
}

// Lower-cased and without punctuation, blanks as spaces.
std::vector<char32_t> Bare(std::string_view text) {
  std::vector<char32_t> bare;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = NextLowered(text, &at);
    if (!IsAsciiPunctuation(c)) bare.push_back(IsUnicodeBlank(c) ? ' ' : c);
  }
  return bare;
}

double F1OfWords(std::string_view a, std::string_view b) {
  const auto words_a = SplitWords(a), words_b = SplitWords(b);
  std::map<std::string_view, int> left;
  for (const std::string_view word : words_b) ++left[word];
  double same = 0;
  for (const std::string_view word : words_a)
    if (left[word]-- > 0) ++same;
  if (same == 0) return 0;
  return 2 * same / static_cast<double>(words_a.size() + words_b.size());
}

}  // namespace

std::string NormalizedAnswer(std::string_view text) {
  std::string normalized;
  std::string word;  // letters that stand together
  std::string part;  // what stands between two spaces
  const auto end_word = [&] {
    if (!IsArticle(word)) part += word;
    // As there, what is left where an article stood is a space.
    else
      part += ' ';
    word.clear();
  };
  const std::vector<char32_t> bare = Bare(text);
  for (size_t i = 0; i <= bare.size(); ++i) {
    const char32_t c = i < bare.size() ? bare[i] : ' ';
    if (IsLetter(c)) {
      AppendUtf8(c, word);
      continue;
    }
    end_word();
    if (c != ' ') {
      AppendUtf8(c, part);
      continue;
    }
    for (const std::string_view piece : SplitWords(part)) {
      if (!normalized.empty()) normalized += ' ';
      normalized += piece;
    }
    part.clear();
  }
  return normalized;
}

bool IsExactAnswer(std::string_view answer,
                   std::span<const std::string> wanted) {
  const std::string normalized = NormalizedAnswer(answer);
  return std::ranges::any_of(wanted, [&](const std::string& one) {
    return NormalizedAnswer(one) == normalized;
  });
}

double AnswerF1(std::string_view answer, std::span<const std::string> wanted) {
  const std::string normalized = NormalizedAnswer(answer);
  double best = 0;
  for (const std::string& one : wanted)
    best = std::max(best, F1OfWords(normalized, NormalizedAnswer(one)));
  return best;
}

double AnswerScore(std::string_view metric, std::string_view answer,
                   std::span<const std::string> wanted) {
  if (metric != "exact-match") return AnswerF1(answer, wanted);
  return IsExactAnswer(answer, wanted) ? 1 : 0;
}

}  // namespace modicum
