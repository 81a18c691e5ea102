// SPDX-License-Identifier: Apache-2.0
// How sentences and questions become what an encoder with a head is asked
// about: the same where it is trained and where it is used.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dataset/item.h"
#include "model/neural.h"

namespace modicum {

// A part of a text, in bytes.
struct TextRange {
  uint32_t begin = 0, end = 0;
  friend bool operator==(const TextRange&, const TextRange&) = default;
};
// Words and punctuation marks: what stands between blanks, cut before and
// after each mark, ASCII's and those of general punctuation. A WordPiece
// tokenizer cuts there too, so that the pieces of the parts are the text's.
std::vector<TextRange> BasicWords(std::string_view text);

// Room for pieces beside so many marks.
size_t RoomFor(const PieceSource& source, size_t marks);
// Begun and ended.
TokenIds AroundPieces(const PieceSource& source, const TokenIds& pieces);
inline constexpr size_t kMarksOfOne = 2;

// Words of one text, as many as the context holds; asked about is the first
// piece of each.
struct WordsRead {
  size_t text = 0;   // which
  size_t first = 0;  // of its words
  AskedText asked = {};
};
// Appends all words of a text, in as many parts as it takes.
Status ReadWords(const PieceSource& source, size_t text,
                 const std::vector<std::string>& words,
                 std::vector<WordsRead>& parts);

// A context as it is asked about.
struct ContextPieces {
  std::vector<TextRange> words;
  TokenIds pieces;
  std::vector<uint32_t> word_of;  // of each piece
};
// A part of a context behind its question; asked about is each piece of it.
struct Window {
  size_t first = 0;  // of the context's pieces
  size_t count = 0;
  AskedText asked = {};
};
struct QuestionRead {
  ContextPieces context;
  std::vector<Window> windows;  // none where the context has no words
};
// The pair's first text about its second, as BERT reads SQuAD (Devlin et al.
// 2019): at most 64 tokens of the question, windows of 384 tokens that begin
// 128 apart. kInvalidInput where the context has no room for both.
Result<QuestionRead> CutIntoWindows(const PieceSource& source,
                                    const TextPair& pair);

}  // namespace modicum
