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

// run_squad.py of google-research/bert: its default.
constexpr size_t kMostAnswerTokens = 30;

Status CheckKindIs(const HeadedEncoder& encoder, HeadKind kind) {
  if (encoder.kind() == kind) return {};
  return Fail(
      ErrorCode::kInvalidInput,
      fmt::format("{} has a head for {}, not for {}", encoder.info().path,
                  HeadKindName(encoder.kind()), HeadKindName(kind)));
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

uint32_t LikeliestLabel(std::span<const float> logits) {
  return static_cast<uint32_t>(std::ranges::max_element(logits) -
                               logits.begin());
}

// The likeliest part of a window, from its logits: that an answer begins, and
// that it ends, at each of its pieces.
FoundAnswer BestOf(const ContextPieces& context, const Window& window,
                   std::span<const float> logits) {
  size_t begin = 0, end = 0;
  const auto score = [&](size_t b, size_t e) {
    return double{logits[2 * b]} + double{logits[2 * e + 1]};
  };
  for (size_t b = 0; b < window.count; ++b)
    for (size_t e = b; e < std::min(window.count, b + kMostAnswerTokens); ++e)
      if (score(b, e) > score(begin, end)) begin = b, end = e;
  const auto word = [&](size_t piece) -> const TextRange& {
    return context.words[context.word_of[window.first + piece]];
  };
  return {{word(begin).begin, word(end).end}, score(begin, end)};
}

}  // namespace

Result<AskedText> ReadMasked(const HeadedEncoder& encoder,
                             std::string_view text) {
  MODICUM_RETURN_IF_ERROR(CheckKindIs(encoder, HeadKind::kFillMask));
  TokenIds pieces;
  AskedText asked;
  const size_t room = RoomFor(encoder, kMarksOfOne);
  while (true) {
    const size_t mask = text.find(kMaskText);
    MODICUM_TRY(const TokenIds before, encoder.Pieces(text.substr(0, mask)));
    pieces.insert(pieces.end(), before.begin(), before.end());
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
  asked.tokens = AroundPieces(encoder, pieces);
  return asked;
}

uint64_t HidingSeed(uint64_t seed, const Item& item) {
  return seed * 0x9E3779B97F4A7C15ULL + item.id;
}

uint32_t PlacesOf(std::string_view metric) { return metric == "top-5" ? 5 : 1; }

Result<std::optional<HiddenToken>> HideOneToken(const HeadedEncoder& encoder,
                                                std::string_view text,
                                                uint64_t seed) {
  MODICUM_RETURN_IF_ERROR(CheckKindIs(encoder, HeadKind::kFillMask));
  MODICUM_TRY(TokenIds pieces, encoder.Pieces(text));
  pieces.resize(std::min(pieces.size(), RoomFor(encoder, kMarksOfOne)));
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
  hidden.text.tokens = AroundPieces(encoder, pieces);
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
  for (size_t i = 0; i < texts.size(); ++i)
    MODICUM_RETURN_IF_ERROR(ReadWords(encoder, i, texts[i].words, parts));
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
  std::vector<QuestionRead> reads;
  std::vector<AskedText> asked;
  for (const TextPair& pair : questions) {
    MODICUM_TRY(QuestionRead one, CutIntoWindows(encoder, pair));
    for (Window& window : one.windows) asked.push_back(std::move(window.asked));
    reads.push_back(std::move(one));
  }
  if (read != nullptr) *read += CountTokens(asked);
  MODICUM_TRY(const auto logits, encoder.Logits(asked, call, sink));
  std::vector<FoundAnswer> answers;
  auto of_window = logits.begin();
  for (const QuestionRead& one : reads) {
    FoundAnswer& answer = answers.emplace_back();
    for (size_t i = 0; i < one.windows.size(); ++i) {
      const FoundAnswer best =
          BestOf(one.context, one.windows[i], *of_window++);
      if (i == 0 || best.score > answer.score) answer = best;
    }
  }
  return answers;
}

}  // namespace modicum
