// SPDX-License-Identifier: Apache-2.0
#include "model/head_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/rng.h"
#include "model/log_softmax.h"

namespace modicum {
namespace {

// run_squad.py of google-research/bert: its defaults.
constexpr size_t kMostQuestionTokens = 64;
constexpr size_t kWindowTokens = 384;
constexpr size_t kWindowStep = 128;
constexpr size_t kMostAnswerTokens = 30;
// Around one text; around two.
constexpr size_t kMarksOfOne = 2;
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

Status CheckKindIs(const HeadedEncoder& encoder, HeadKind kind) {
  if (encoder.kind() == kind) return {};
  return Fail(
      ErrorCode::kInvalidInput,
      fmt::format("{} has a head for {}, not for {}", encoder.info().path,
                  HeadKindName(encoder.kind()), HeadKindName(kind)));
}

void Append(TokenIds& to, const TokenIds& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// Room for the pieces of a text.
size_t RoomOf(const HeadedEncoder& encoder, size_t marks) {
  const size_t context = encoder.info().context;
  return context > marks ? context - marks : 0;
}

// Begun and ended.
TokenIds Around(const HeadedEncoder& encoder, const TokenIds& pieces) {
  TokenIds tokens = {*encoder.marks().begin};
  Append(tokens, pieces);
  tokens.push_back(*encoder.marks().separator);
  return tokens;
}

// Whether a piece goes on with the word before it.
bool GoesOn(const HeadedEncoder& encoder, TokenId token) {
  return token != encoder.marks().unknown &&
         !encoder.Piece(token).starts_with(' ');
}

uint64_t CountTokens(std::span<const AskedText> texts) {
  uint64_t count = 0;
  for (const AskedText& text : texts) count += text.tokens.size();
  return count;
}

// Words of one text, as many as fit into the context.
struct WordsRead {
  size_t text = 0;   // which
  size_t first = 0;  // of its words
  AskedText asked = {};
};

// All words of a text, in as many parts as it takes.
class WordReader {
 public:
  WordReader(const HeadedEncoder& encoder, std::vector<WordsRead>& parts)
      : encoder_(encoder), room_(RoomOf(encoder, kMarksOfOne)), parts_(parts) {}

  Status Read(size_t text, const std::vector<std::string>& words) {
    Begin(text, 0);
    for (size_t i = 0; i < words.size(); ++i) {
      MODICUM_TRY(TokenIds pieces, encoder_.Pieces(words[i]));
      // What no tokenizer reads still has a place.
      if (pieces.empty()) pieces = {encoder_.marks().unknown.value_or(0)};
      pieces.resize(std::min(pieces.size(), room_));
      if (part_.size() + pieces.size() > room_) {
        End();
        Begin(text, i);
      }
      parts_.back().asked.places.push_back(
          static_cast<uint32_t>(part_.size() + 1));
      Append(part_, pieces);
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
      parts_.back().asked.tokens = Around(encoder_, part_);
  }

  const HeadedEncoder& encoder_;
  const size_t room_;
  std::vector<WordsRead>& parts_;
  TokenIds part_;
};

uint32_t LikeliestLabel(std::span<const float> logits) {
  return static_cast<uint32_t>(std::ranges::max_element(logits) -
                               logits.begin());
}

// A context as it is asked about.
struct ContextPieces {
  std::vector<TextRange> words;
  TokenIds pieces;
  std::vector<uint32_t> word_of;  // of each piece
};

Result<ContextPieces> ReadContext(const HeadedEncoder& encoder,
                                  std::string_view context) {
  ContextPieces read;
  read.words = BasicWords(context);
  for (uint32_t i = 0; i < read.words.size(); ++i) {
    const TextRange& word = read.words[i];
    MODICUM_TRY(const TokenIds pieces, encoder.Pieces(context.substr(
                                           word.begin, word.end - word.begin)));
    Append(read.pieces, pieces);
    read.word_of.insert(read.word_of.end(), pieces.size(), i);
  }
  return read;
}

// A part of a context behind its question.
struct Window {
  size_t question = 0;  // which
  size_t first = 0;     // of the context's pieces
  size_t count = 0;
};

class QuestionReader {
 public:
  QuestionReader(const HeadedEncoder& encoder, size_t count)
      : encoder_(encoder), contexts_(count) {}

  Status Read(size_t index, const TextPair& pair) {
    MODICUM_TRY(TokenIds question, encoder_.Pieces(pair.first));
    MODICUM_TRY(contexts_[index], ReadContext(encoder_, pair.second));
    const size_t all =
        std::min(RoomOf(encoder_, kMarksOfTwo), kWindowTokens - kMarksOfTwo);
    question.resize(std::min({question.size(), kMostQuestionTokens, all / 2}));
    const size_t room = all - question.size();
    if (room == 0)
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("a context of {} tokens has no room for a "
                              "question and a text",
                              encoder_.info().context),
                  "use a longer one");
    const TokenIds& pieces = contexts_[index].pieces;
    const size_t step = std::min(kWindowStep, (room + 1) / 2);
    for (size_t at = 0; at < pieces.size(); at += step) {
      const size_t count = std::min(room, pieces.size() - at);
      Add({index, at, count}, question);
      if (at + count == pieces.size()) break;
    }
    return {};
  }

  std::span<const AskedText> asked() const { return asked_; }

  // The best part of each context, from the logits of all windows.
  std::vector<FoundAnswer> Choose(
      const std::vector<std::vector<float>>& logits) const {
    std::vector<FoundAnswer> answers(contexts_.size());
    std::vector<bool> found(contexts_.size());
    for (size_t i = 0; i < windows_.size(); ++i) {
      const Window& window = windows_[i];
      const FoundAnswer best = BestOf(window, logits[i]);
      FoundAnswer& answer = answers[window.question];
      if (!found[window.question] || best.score > answer.score) answer = best;
      found[window.question] = true;
    }
    return answers;
  }

 private:
  void Add(const Window& window, const TokenIds& question) {
    AskedText& text = asked_.emplace_back();
    text.tokens = Around(encoder_, question);
    text.second = static_cast<uint32_t>(text.tokens.size());
    const auto from = contexts_[window.question].pieces.begin() +
                      static_cast<int64_t>(window.first);
    text.tokens.insert(text.tokens.end(), from,
                       from + static_cast<int64_t>(window.count));
    text.tokens.push_back(*encoder_.marks().separator);
    text.places.resize(window.count);
    std::iota(text.places.begin(), text.places.end(), text.second);
    windows_.push_back(window);
  }

  // `logits`: that it begins, and that it ends, at each of the window's
  // pieces.
  FoundAnswer BestOf(const Window& window,
                     std::span<const float> logits) const {
    size_t begin = 0, end = 0;
    const auto score = [&](size_t b, size_t e) {
      return double{logits[2 * b]} + double{logits[2 * e + 1]};
    };
    for (size_t b = 0; b < window.count; ++b)
      for (size_t e = b; e < std::min(window.count, b + kMostAnswerTokens); ++e)
        if (score(b, e) > score(begin, end)) begin = b, end = e;
    const ContextPieces& context = contexts_[window.question];
    const auto word = [&](size_t piece) -> const TextRange& {
      return context.words[context.word_of[window.first + piece]];
    };
    return {{word(begin).begin, word(end).end}, score(begin, end)};
  }

  const HeadedEncoder& encoder_;
  std::vector<ContextPieces> contexts_;
  std::vector<Window> windows_;
  std::vector<AskedText> asked_;
};

}  // namespace

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

Result<AskedText> ReadMasked(const HeadedEncoder& encoder,
                             std::string_view text) {
  MODICUM_RETURN_IF_ERROR(CheckKindIs(encoder, HeadKind::kFillMask));
  TokenIds pieces;
  AskedText asked;
  const size_t room = RoomOf(encoder, kMarksOfOne);
  while (true) {
    const size_t mask = text.find(kMaskText);
    MODICUM_TRY(const TokenIds before, encoder.Pieces(text.substr(0, mask)));
    Append(pieces, before);
    if (mask == text.npos) break;
    if (pieces.size() < room)
      asked.places.push_back(static_cast<uint32_t>(pieces.size() + 1));
    pieces.push_back(*encoder.marks().mask);
    text.remove_prefix(mask + kMaskText.size());
  }
  if (asked.places.empty())
    return Fail(ErrorCode::kInvalidInput,
                pieces.size() > room
                    ? "no [MASK] within the context of the network"
                    : "nothing is hidden",
                "write [MASK] where a word is to be found");
  pieces.resize(std::min(pieces.size(), room));
  asked.tokens = Around(encoder, pieces);
  return asked;
}

Result<std::optional<HiddenToken>> HideOneToken(const HeadedEncoder& encoder,
                                                std::string_view text,
                                                uint64_t seed) {
  MODICUM_RETURN_IF_ERROR(CheckKindIs(encoder, HeadKind::kFillMask));
  MODICUM_TRY(TokenIds pieces, encoder.Pieces(text));
  pieces.resize(std::min(pieces.size(), RoomOf(encoder, kMarksOfOne)));
  if (pieces.empty()) return std::optional<HiddenToken>();
  std::vector<uint32_t> whole;
  for (uint32_t i = 0; i < pieces.size(); ++i)
    if (pieces[i] != encoder.marks().unknown && !GoesOn(encoder, pieces[i]) &&
        (i + 1 == pieces.size() || !GoesOn(encoder, pieces[i + 1])))
      whole.push_back(i);
  if (whole.empty()) {
    whole.resize(pieces.size());
    std::iota(whole.begin(), whole.end(), 0U);
  }
  const uint32_t place =
      whole[Rng(seed).Below(static_cast<uint32_t>(whole.size()))];
  HiddenToken hidden;
  hidden.was = std::exchange(pieces[place], *encoder.marks().mask);
  hidden.text.tokens = Around(encoder, pieces);
  hidden.text.places = {place + 1};
  return std::optional(std::move(hidden));
}

std::vector<LikelyToken> LikeliestTokens(std::span<const float> logits,
                                         size_t count) {
  std::vector<TokenId> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  count = std::min(count, order.size());
  const auto logit = [&](TokenId token) {
    return logits[static_cast<size_t>(token)];
  };
  std::partial_sort(order.begin(), order.begin() + static_cast<int64_t>(count),
                    order.end(), [&](TokenId a, TokenId b) {
                      return logit(a) != logit(b) ? logit(a) > logit(b) : a < b;
                    });
  const double all = LogSumExp(logits);
  std::vector<LikelyToken> likeliest;
  for (size_t i = 0; i < count; ++i)
    likeliest.push_back({order[i], std::exp(double{logit(order[i])} - all)});
  return likeliest;
}

TokenRank RankOf(std::span<const float> logits, TokenId token) {
  const float own = logits[static_cast<size_t>(token)];
  const auto above =
      std::ranges::count_if(logits, [own](float logit) { return logit > own; });
  return {static_cast<uint32_t>(above),
          (LogSumExp(logits) - double{own}) / std::log(2.0)};
}

Result<std::vector<std::vector<uint32_t>>> TagWords(
    HeadedEncoder& encoder, std::span<const Tokens> texts,
    const CallOptions& call, PhaseSink& sink, uint64_t* read) {
  MODICUM_RETURN_IF_ERROR(CheckKindIs(encoder, HeadKind::kTokenClassification));
  sink.Begin(Phase::kPrepare);
  std::vector<WordsRead> parts;
  WordReader reader(encoder, parts);
  for (size_t i = 0; i < texts.size(); ++i)
    MODICUM_RETURN_IF_ERROR(reader.Read(i, texts[i].words));
  std::vector<AskedText> asked;
  for (WordsRead& part : parts) asked.push_back(std::move(part.asked));
  if (read != nullptr) *read += CountTokens(asked);
  MODICUM_TRY(const auto logits, encoder.Logits(asked, call, sink));
  std::vector<std::vector<uint32_t>> tags;
  for (const Tokens& text : texts) tags.emplace_back(text.words.size());
  const size_t labels = encoder.info().labels.size();
  for (size_t i = 0; i < parts.size(); ++i)
    for (size_t word = 0; word * labels < logits[i].size(); ++word)
      tags[parts[i].text][parts[i].first + word] =
          LikeliestLabel(std::span(logits[i]).subspan(word * labels, labels));
  return tags;
}

Result<std::vector<FoundAnswer>> AnswerQuestions(
    HeadedEncoder& encoder, std::span<const TextPair> questions,
    const CallOptions& call, PhaseSink& sink, uint64_t* read) {
  MODICUM_RETURN_IF_ERROR(CheckKindIs(encoder, HeadKind::kQuestionAnswering));
  sink.Begin(Phase::kPrepare);
  QuestionReader reader(encoder, questions.size());
  for (size_t i = 0; i < questions.size(); ++i)
    MODICUM_RETURN_IF_ERROR(reader.Read(i, questions[i]));
  if (read != nullptr) *read += CountTokens(reader.asked());
  MODICUM_TRY(const auto logits, encoder.Logits(reader.asked(), call, sink));
  return reader.Choose(logits);
}

}  // namespace modicum
