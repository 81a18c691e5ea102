// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/word_pieces.h"

#include <algorithm>
#include <queue>
#include <unordered_map>
#include <unordered_set>

#include "model/training_stop.h"

namespace modicum {

namespace {

using Pair = uint64_t;  // left piece, right piece
Pair PairOf(uint32_t left, uint32_t right) {
  return (uint64_t{left} << 32U) | right;
}

// Counts of pairs are kept up to date; the queue may hold old ones, which are
// put right when they come up.
class Merger {
 public:
  explicit Merger(std::span<const CountedWord> words)
      : words_(words.begin(), words.end()) {
    for (uint32_t i = 0; i < words_.size(); ++i) {
      const std::vector<uint32_t>& parts = words_[i].characters;
      for (size_t at = 0; at + 1 < parts.size(); ++at) {
        Seen& seen = seen_[PairOf(parts[at], parts[at + 1])];
        seen.count += words_[i].count;
        if (seen.words.empty() || seen.words.back() != i)
          seen.words.push_back(i);
      }
    }
    for (const auto& [pair, seen] : seen_) queue_.push({seen.count, pair});
  }

  // The pair that is most frequent now; its count is 0 when there is none.
  std::pair<uint64_t, Pair> Best() {
    while (!queue_.empty()) {
      const Entry top = queue_.top();
      queue_.pop();
      const uint64_t now = seen_[top.pair].count;
      if (now == top.count) return {now, top.pair};
      if (now > 0) queue_.push({now, top.pair});
    }
    return {0, 0};
  }

  // Puts `piece` in the place of the pair everywhere.
  void Merge(Pair pair, uint32_t piece) {
    const std::vector<uint32_t> words = std::move(seen_[pair].words);
    fresh_.clear();
    for (const uint32_t word : words) MergeIn(word, pair, piece);
    seen_[pair] = {};
    for (const Pair one : fresh_) queue_.push({seen_[one].count, one});
  }

 private:
  struct Seen {
    uint64_t count = 0;
    std::vector<uint32_t> words;  // where it is, or once was
  };
  struct Entry {
    uint64_t count;
    Pair pair;
    bool operator<(const Entry& other) const {
      return count != other.count ? count < other.count : pair > other.pair;
    }
  };

  void MergeIn(uint32_t word, Pair pair, uint32_t piece) {
    std::vector<uint32_t>& parts = words_[word].characters;
    const uint64_t count = words_[word].count;
    std::vector<uint32_t> merged;
    for (size_t at = 0; at < parts.size(); ++at) {
      if (at + 1 < parts.size() && PairOf(parts[at], parts[at + 1]) == pair) {
        merged.push_back(piece);
        ++at;
      } else {
        merged.push_back(parts[at]);
      }
    }
    if (merged.size() == parts.size()) return;
    for (size_t at = 0; at + 1 < parts.size(); ++at)
      seen_[PairOf(parts[at], parts[at + 1])].count -= count;
    for (size_t at = 0; at + 1 < merged.size(); ++at) {
      const Pair next = PairOf(merged[at], merged[at + 1]);
      Seen& seen = seen_[next];
      seen.count += count;
      if (merged[at] != piece && merged[at + 1] != piece) continue;
      seen.words.push_back(word);
      fresh_.insert(next);
    }
    parts = std::move(merged);
  }

  std::vector<CountedWord> words_;
  std::unordered_map<Pair, Seen> seen_;
  std::priority_queue<Entry> queue_;
  std::unordered_set<Pair> fresh_;
};

}  // namespace

Result<std::vector<std::string>> LearnPieces(std::vector<std::string> alphabet,
                                             std::span<const CountedWord> words,
                                             size_t size, uint64_t least,
                                             const std::stop_token& stop) {
  Merger merger(words);
  std::vector<std::string>& pieces = alphabet;
  // Two ways to the same text are one piece.
  std::unordered_map<std::string, uint32_t> number;
  for (uint32_t i = 0; i < pieces.size(); ++i) number[pieces[i]] = i;
  while (pieces.size() < size) {
    MODICUM_RETURN_IF_ERROR(CheckNotStopped(stop));
    const auto [count, pair] = merger.Best();
    if (count < least) break;
    const std::string joined = pieces[pair >> 32U] + pieces[pair & 0xFFFFFFFFU];
    const auto [known, fresh] =
        number.try_emplace(joined, static_cast<uint32_t>(pieces.size()));
    if (fresh) pieces.push_back(joined);
    merger.Merge(pair, known->second);
  }
  return std::move(pieces);
}

}  // namespace modicum
