// SPDX-License-Identifier: Apache-2.0
#include "train/baselines.h"

#include <algorithm>
#include <unordered_set>

#include "base/ascii.h"

namespace modicum {
namespace {

// Words before and after an answer that may be the question's.
constexpr size_t kNear = 10;

uint32_t MostFrequent(std::span<const uint32_t> counts) {
  return static_cast<uint32_t>(std::ranges::max_element(counts) -
                               counts.begin());
}

// The most frequent first.
std::vector<TokenId> MostFrequent(
    const std::unordered_map<TokenId, uint64_t>& counts, size_t kept) {
  std::vector<std::pair<TokenId, uint64_t>> order(counts.begin(), counts.end());
  kept = std::min(kept, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<int64_t>(kept),
                    order.end(), [](const auto& a, const auto& b) {
                      return a.second != b.second ? a.second > b.second
                                                  : a.first < b.first;
                    });
  std::vector<TokenId> tokens;
  for (size_t i = 0; i < kept; ++i) tokens.push_back(order[i].first);
  return tokens;
}

std::string LoweredWord(std::string_view text, const TextRange& range) {
  return LowerAscii(text.substr(range.begin, range.end - range.begin));
}

}  // namespace

WordTable::WordTable(std::span<const TaggedExample> examples, size_t labels) {
  std::unordered_map<std::string, std::vector<uint32_t>> counts;
  std::vector<uint32_t> all(labels);
  for (const TaggedExample& example : examples)
    for (size_t i = 0; i < example.words.size(); ++i) {
      std::vector<uint32_t>& own = counts[example.words[i]];
      own.resize(labels);
      ++own[example.labels[i]];
      ++all[example.labels[i]];
    }
  for (const auto& [word, own] : counts) tags_[word] = MostFrequent(own);
  most_ = MostFrequent(all);
}

uint32_t WordTable::TagOf(std::string_view word) const {
  const auto found = tags_.find(std::string(word));
  return found == tags_.end() ? most_ : found->second;
}

NearbyWords::NearbyWords(std::span<const AnswerExample> examples) {
  std::vector<size_t> lengths;
  for (const AnswerExample& example : examples) {
    const TextRange& answer = example.answer;
    lengths.push_back(
        BasicWords(std::string_view(example.pair.second)
                       .substr(answer.begin, answer.end - answer.begin))
            .size());
  }
  if (lengths.empty()) return;
  const auto middle =
      lengths.begin() + static_cast<int64_t>(lengths.size() / 2);
  std::ranges::nth_element(lengths, middle);
  length_ = std::max<size_t>(1, *middle);
}

TextRange NearbyWords::Answer(const TextPair& pair) const {
  std::unordered_set<std::string> asked;
  for (const TextRange& word : BasicWords(pair.first))
    asked.insert(LoweredWord(pair.first, word));
  const std::vector<TextRange> words = BasicWords(pair.second);
  std::vector<std::string> lowered;
  for (const TextRange& word : words)
    lowered.push_back(LoweredWord(pair.second, word));
  const size_t length = std::min(length_, words.size());
  size_t best = 0;
  int64_t most = -1;
  for (size_t at = 0; at + length <= words.size(); ++at) {
    std::unordered_set<std::string_view> near;
    bool inside = false;
    const size_t from = at - std::min(at, kNear);
    const size_t to = std::min(words.size(), at + length + kNear);
    for (size_t i = from; i < to; ++i) {
      if (!asked.contains(lowered[i])) continue;
      near.insert(lowered[i]);
      inside = inside || (i >= at && i < at + length);
    }
    const auto count = static_cast<int64_t>(near.size());
    if (inside || count <= most) continue;
    most = count;
    best = at;
  }
  if (words.empty()) return {};
  return {words[best].begin, words[best + length - 1].end};
}

FollowingTokens::FollowingTokens(std::span<const TokenIds> texts) {
  std::unordered_map<TokenId, uint64_t> all;
  std::unordered_map<TokenId, std::unordered_map<TokenId, uint64_t>> after;
  for (const TokenIds& text : texts)
    for (size_t i = 1; i < text.size(); ++i) {
      ++all[text[i]];
      ++after[text[i - 1]][text[i]];
    }
  for (const auto& [before, counts] : after)
    after_[before] = MostFrequent(counts, kKept);
  most_ = MostFrequent(all, kKept);
}

std::vector<TokenId> FollowingTokens::Likeliest(TokenId before,
                                                size_t count) const {
  std::vector<TokenId> tokens;
  const auto found = after_.find(before);
  if (found != after_.end()) tokens = found->second;
  for (const TokenId token : most_)
    if (std::ranges::count(tokens, token) == 0) tokens.push_back(token);
  tokens.resize(std::min(count, tokens.size()));
  return tokens;
}

}  // namespace modicum
