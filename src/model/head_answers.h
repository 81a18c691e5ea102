// SPDX-License-Identifier: Apache-2.0
// What an encoder with a head answers to texts, words and questions, made of
// its logits.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/phase.h"
#include "base/result.h"
#include "dataset/item.h"
#include "model/head_texts.h"
#include "model/neural.h"

namespace modicum {

// How a hidden token is written.
inline constexpr std::string_view kMaskText = "[MASK]";
// The text with a mask token for each "[MASK]", which are asked about; cut to
// the context. kInvalidInput where it has none, or none is left.
Result<AskedText> ReadMasked(const HeadedEncoder& encoder,
                             std::string_view text);

struct HiddenToken {
  AskedText text;  // asked about the one place
  TokenId was = 0;
};
// Of one item, the same in every run.
uint64_t HidingSeed(uint64_t seed, const Item& item);
// One token of the text hidden, drawn by the seed: a word that is one token,
// or any token where there is no such word. nullopt: it has no tokens.
Result<std::optional<HiddenToken>> HideOneToken(const HeadedEncoder& encoder,
                                                std::string_view text,
                                                uint64_t seed);

struct LikelyToken {
  TokenId token = 0;
  double probability = 0;
};
// The `count` likeliest of a row over the vocabulary, first among equals the
// one of the lower number.
std::vector<LikelyToken> LikeliestTokens(std::span<const float> logits,
                                         size_t count);
// How many tokens are likelier than `token`, and what it costs to tell, in
// bits.
struct TokenRank {
  uint32_t above = 0;
  double bits = 0;
};
TokenRank RankOf(std::span<const float> logits, TokenId token);
// Among how many of the likeliest tokens a hidden one must be to be found, by
// the metric's name: "accuracy", "top-5".
uint32_t PlacesOf(std::string_view metric);

// The label of each word, by number: that of its first piece. A text longer
// than the context is read in parts; `read` counts tokens, if not null.
Result<std::vector<std::vector<uint32_t>>> TagWords(
    HeadedEncoder& encoder, std::span<const Tokens> texts,
    const CallOptions& call, PhaseSink& sink, uint64_t* read = nullptr);

struct FoundAnswer {
  TextRange range;   // of the context; empty where it has no words
  double score = 0;  // the sum of both logits
};
// The likeliest part of each context (the pair's second text) as an answer to
// the question (its first), of all windows; at most 30 tokens, whole words.
Result<std::vector<FoundAnswer>> AnswerQuestions(
    HeadedEncoder& encoder, std::span<const TextPair> questions,
    const CallOptions& call, PhaseSink& sink, uint64_t* read = nullptr);

}  // namespace modicum
