// SPDX-License-Identifier: Apache-2.0
#include "model/head_texts.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace modicum {
namespace {

// run_squad.py of google-research/bert: its defaults.
constexpr size_t kMostQuestionTokens = 64;
constexpr size_t kWindowTokens = 384;
constexpr size_t kWindowStep = 128;
constexpr size_t kMarksOfTwo = 3;

bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Of those that every WordPiece tokenizer cuts out, the bytes that the first
// mark of `text` takes; 0: it does not begin with one.
size_t MarkBytes(std::string_view text) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = byte(0);
  const bool ascii =
      (first >= '!' && first <= '/') || (first >= ':' && first <= '@') ||
      (first >= '[' && first <= '`') || (first >= '{' && first <= '~');
  if (ascii) return 1;
  // U+2010 to U+2027 and U+2030 to U+205E, but for the two that are symbols.
  if (first != 0xE2 || (byte(1) != 0x80 && byte(1) != 0x81)) return 0;
  const unsigned code = 0x2000 + ((byte(1) & 1U) << 6U) + (byte(2) & 0x3FU);
  const bool mark =
      (code >= 0x2010 && code <= 0x2027) || (code >= 0x2030 && code <= 0x205E);
  return mark && code != 0x2044 && code != 0x2052 ? 3 : 0;
}

void AppendPieces(TokenIds& to, const TokenIds& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// All words of a text, in as many parts as it takes.
class WordReader {
 public:
  WordReader(const PieceSource& source, std::vector<WordsRead>& parts)
      : source_(source), room_(RoomFor(source, kMarksOfOne)), parts_(parts) {}

  Status Read(size_t text, const std::vector<std::string>& words) {
    Begin(text, 0);
    for (size_t i = 0; i < words.size(); ++i) {
      MODICUM_TRY(TokenIds pieces, source_.Pieces(words[i]));
      // What no tokenizer reads still has a place.
      if (pieces.empty()) pieces = {source_.marks().unknown.value_or(0)};
      pieces.resize(std::min(pieces.size(), room_));
      if (part_.size() + pieces.size() > room_) {
        End();
        Begin(text, i);
      }
      parts_.back().asked.places.push_back(
          static_cast<uint32_t>(part_.size() + 1));
      AppendPieces(part_, pieces);
    }
    End();
    return {};
  }

 private:
  void Begin(size_t text, size_t first) {
    parts_.push_back({text, first});
    part_.clear();
  }
  void End() {
    if (part_.empty())
      parts_.pop_back();  // a text without words
    else
      parts_.back().asked.tokens = AroundPieces(source_, part_);
  }

  const PieceSource& source_;
  const size_t room_;
  std::vector<WordsRead>& parts_;
  TokenIds part_;
};

Result<ContextPieces> ReadContext(const PieceSource& source,
                                  std::string_view context) {
  ContextPieces read;
  read.words = BasicWords(context);
  for (uint32_t i = 0; i < read.words.size(); ++i) {
    const TextRange& word = read.words[i];
    MODICUM_TRY(const TokenIds pieces, source.Pieces(context.substr(
                                           word.begin, word.end - word.begin)));
    AppendPieces(read.pieces, pieces);
    read.word_of.insert(read.word_of.end(), pieces.size(), i);
  }
  return read;
}

Window WindowOf(const PieceSource& source, const TokenIds& question,
                const TokenIds& pieces, size_t first, size_t count) {
  Window window{first, count};
  AskedText& text = window.asked;
  text.tokens = AroundPieces(source, question);
  text.second = static_cast<uint32_t>(text.tokens.size());
  const auto from = pieces.begin() + static_cast<int64_t>(first);
  text.tokens.insert(text.tokens.end(), from,
                     from + static_cast<int64_t>(count));
  text.tokens.push_back(*source.marks().separator);
  text.places.resize(count);
  std::iota(text.places.begin(), text.places.end(), text.second);
  return window;
}

}  // namespace

size_t RoomFor(const PieceSource& source, size_t marks) {
  const size_t context = source.context();
  return context > marks ? context - marks : 0;
}

TokenIds AroundPieces(const PieceSource& source, const TokenIds& pieces) {
  TokenIds tokens = {*source.marks().begin};
  AppendPieces(tokens, pieces);
  tokens.push_back(*source.marks().separator);
  return tokens;
}

std::vector<TextRange> BasicWords(std::string_view text) {
  std::vector<TextRange> words;
  bool open = false;
  for (size_t at = 0; at < text.size();) {
    const size_t mark = MarkBytes(text.substr(at));
    const auto begin = static_cast<uint32_t>(at);
    at += std::max<size_t>(mark, 1);
    if (mark == 0 && IsBlank(text[begin])) {
      open = false;
      continue;
    }
    if (mark > 0 || !open) words.push_back({begin, begin});
    words.back().end = static_cast<uint32_t>(at);
    open = mark == 0;
  }
  return words;
}

Status ReadWords(const PieceSource& source, size_t text,
                 const std::vector<std::string>& words,
                 std::vector<WordsRead>& parts) {
  return WordReader(source, parts).Read(text, words);
}

Result<QuestionRead> CutIntoWindows(const PieceSource& source,
                                    const TextPair& pair) {
  QuestionRead read;
  MODICUM_TRY(TokenIds question, source.Pieces(pair.first));
  MODICUM_TRY(read.context, ReadContext(source, pair.second));
  const size_t all =
      std::min(RoomFor(source, kMarksOfTwo), kWindowTokens - kMarksOfTwo);
  question.resize(std::min({question.size(), kMostQuestionTokens, all / 2}));
  const size_t room = all - question.size();
  if (room == 0)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("a context of {} tokens has no room for a question "
                            "and a text",
                            source.context()),
                "use a longer one");
  const TokenIds& pieces = read.context.pieces;
  const size_t step = std::min(kWindowStep, (room + 1) / 2);
  for (size_t at = 0; at < pieces.size(); at += step) {
    const size_t count = std::min(room, pieces.size() - at);
    read.windows.push_back(WindowOf(source, question, pieces, at, count));
    if (at + count == pieces.size()) break;
  }
  return read;
}

}  // namespace modicum
