// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/word_pieces.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <memory>

#include "base/rng.h"

namespace modicum {
namespace {

using testing::ElementsAre;

// Words over a, b, c, ...
std::vector<CountedWord> Words(
    const std::vector<std::pair<std::string, uint64_t>>& words) {
  std::vector<CountedWord> counted;
  for (const auto& [word, count] : words) {
    CountedWord& one = counted.emplace_back();
    one.count = count;
    for (const char c : word)
      one.characters.push_back(static_cast<uint32_t>(c - 'a'));
  }
  return counted;
}

std::vector<std::string> Letters(size_t count) {
  std::vector<std::string> letters;
  for (size_t i = 0; i < count; ++i)
    letters.emplace_back(1, static_cast<char>('a' + i));
  return letters;
}

TEST(LearnPieces, MostFrequentPairFirst) {
  // ab: 5 + 2, bc: 2, then (ab)c: 2.
  const auto pieces =
      LearnPieces(Letters(3), Words({{"ab", 5}, {"abc", 2}}), 100, 1, {});
  EXPECT_THAT(*pieces, ElementsAre("a", "b", "c", "ab", "abc"));
}

TEST(LearnPieces, StopsAtTheSizeAndAtTheLeast) {
  const auto words = Words({{"ab", 5}, {"abc", 2}});
  EXPECT_EQ(LearnPieces(Letters(3), words, 4, 1, {})->size(), 4U);
  EXPECT_EQ(LearnPieces(Letters(3), words, 100, 3, {})->back(), "ab");
  EXPECT_EQ(LearnPieces(Letters(3), words, 2, 1, {})->size(), 3U);
}

TEST(LearnPieces, AmongEqualsTheEarlierPieces) {
  const auto pieces =
      LearnPieces(Letters(4), Words({{"cd", 3}, {"ab", 3}}), 6, 1, {});
  EXPECT_THAT(*pieces, ElementsAre("a", "b", "c", "d", "ab", "cd"));
}

TEST(LearnPieces, RunsOfOneCharacter) {
  const auto pieces = LearnPieces(Letters(1), Words({{"aaaaa", 1}}), 9, 1, {});
  EXPECT_THAT(*pieces, ElementsAre("a", "aa", "aaa", "aaaaa"));
}

TEST(LearnPieces, StopsWhenAsked) {
  const auto stop = std::make_unique<std::stop_source>();
  stop->request_stop();
  const auto pieces =
      LearnPieces(Letters(2), Words({{"ab", 2}}), 9, 1, stop->get_token());
  ASSERT_FALSE(pieces);
  EXPECT_EQ(pieces.error().code, ErrorCode::kInterrupted);
}

// Counts everything anew for every merge.
std::vector<std::string> LearnSlowly(std::vector<std::string> pieces,
                                     std::vector<CountedWord> words,
                                     size_t size) {
  while (pieces.size() < size) {
    std::map<std::pair<uint32_t, uint32_t>, uint64_t> counts;
    for (const CountedWord& word : words)
      for (size_t i = 0; i + 1 < word.characters.size(); ++i)
        counts[{word.characters[i], word.characters[i + 1]}] += word.count;
    if (counts.empty()) break;
    const auto best = std::max_element(
        counts.begin(), counts.end(),
        [](const auto& a, const auto& b) { return a.second < b.second; });
    const auto [left, right] = best->first;
    const std::string joined = pieces[left] + pieces[right];
    auto known = std::find(pieces.begin(), pieces.end(), joined);
    const auto piece = static_cast<uint32_t>(known - pieces.begin());
    if (known == pieces.end()) pieces.push_back(joined);
    for (CountedWord& word : words) {
      std::vector<uint32_t> merged;
      for (size_t i = 0; i < word.characters.size(); ++i) {
        const bool here = i + 1 < word.characters.size() &&
                          word.characters[i] == left &&
                          word.characters[i + 1] == right;
        merged.push_back(here ? piece : word.characters[i]);
        if (here) ++i;
      }
      word.characters = merged;
    }
  }
  return pieces;
}

TEST(LearnPieces, IsWhatCountingAnewGives) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    std::vector<CountedWord> words(30);
    for (CountedWord& word : words) {
      word.characters.resize(1 + rng.Below(9));
      for (uint32_t& c : word.characters) c = rng.Below(4);
      word.count = 1 + rng.Below(20);
    }
    EXPECT_EQ(*LearnPieces(Letters(4), words, 60, 1, {}),
              LearnSlowly(Letters(4), words, 60));
  }
}

}  // namespace
}  // namespace modicum
