// SPDX-License-Identifier: Apache-2.0
// What costs nothing and must be beaten: a table of words for tags, the words
// beside those of the question for answers, a table of tokens for hidden ones.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/head_job.h"
#include "model/neural.h"

namespace modicum {

// Of each word the tag that it has most often, of one that is not known the
// most frequent of all; among equals the tag that comes first.
class WordTable {
 public:
  // `labels`: how many tags there are.
  WordTable(std::span<const TaggedExample> examples, size_t labels);
  uint32_t TagOf(std::string_view word) const;

 private:
  std::unordered_map<std::string, uint32_t> tags_;
  uint32_t most_ = 0;
};

// As many words as the median answer has, none of them the question's, around
// which most words of the question stand (a sliding window, after Richardson
// et al. 2013); the first among equals.
class NearbyWords {
 public:
  explicit NearbyWords(std::span<const AnswerExample> examples);
  // Empty where the context has no words.
  TextRange Answer(const TextPair& pair) const;
  size_t length() const { return length_; }

 private:
  size_t length_ = 1;  // words of an answer
};

// Of each token those that follow it most often, then those that are most
// frequent of all; among equals the lower number.
class FollowingTokens {
 public:
  explicit FollowingTokens(std::span<const TokenIds> texts);
  // The `count` likeliest after `before`, fewer where not as many are known.
  std::vector<TokenId> Likeliest(TokenId before, size_t count) const;

 private:
  static constexpr size_t kKept = 5;
  std::unordered_map<TokenId, std::vector<TokenId>> after_;
  std::vector<TokenId> most_;
};

}  // namespace modicum
