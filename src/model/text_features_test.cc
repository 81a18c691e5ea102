// SPDX-License-Identifier: Apache-2.0
#include "model/text_features.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "base/rng.h"

namespace modicum {
namespace {

using testing::SizeIs;

std::vector<uint32_t> Hashes(std::string_view text, NgramRange words,
                             NgramRange chars = {}) {
  std::vector<uint32_t> hashes;
  HashFeatures(text, {words, chars}, hashes);
  return hashes;
}

TEST(TextFeatures, WordsAreWhatSeparatorsDoNotChange) {
  const auto plain = Hashes("buy now cheap", {1, 2});
  EXPECT_THAT(plain, SizeIs(5));
  EXPECT_EQ(Hashes("  BUY,now!\n\tCheap?", {1, 2}), plain);
  EXPECT_EQ(Hashes("Buy\u00A0now \u2014 \u201Ccheap\u201D", {1, 2}), plain);
}

TEST(TextFeatures, CaseIsFoldedOutsideAsciiToo) {
  EXPECT_EQ(Hashes("ÉCOLE ŽIŽEK ΑΒΓ ЁЖ ÿ", {1, 1}),
            Hashes("école žižek αβγ ёж Ÿ", {1, 1}));
  EXPECT_NE(Hashes("école", {1, 1}), Hashes("ecole", {1, 1}));
}

TEST(TextFeatures, OrderMattersToPairsOnly) {
  const auto ab = Hashes("alpha beta", {1, 1});
  auto ba = Hashes("beta alpha", {1, 1});
  std::reverse(ba.begin(), ba.end());
  EXPECT_EQ(ab, ba);
  EXPECT_NE(Hashes("alpha beta", {2, 2}), Hashes("beta alpha", {2, 2}));
}

TEST(TextFeatures, CountsOfNgrams) {
  EXPECT_THAT(Hashes("a b c d e", {3, 3}), SizeIs(3));
  EXPECT_THAT(Hashes("a b c d e", {1, 4}), SizeIs(5 + 4 + 3 + 2));
  // " abc ": 3 of length 3, 2 of length 4, 1 of length 5.
  EXPECT_THAT(Hashes("abc", {0, 0}, {3, 5}), SizeIs(6));
  EXPECT_THAT(Hashes("a", {0, 0}, {5, 6}), SizeIs(0));
  EXPECT_THAT(Hashes("", {1, 2}, {1, 2}), SizeIs(0));
}

TEST(TextFeatures, CharacterNgramsStayInsideWords) {
  auto apart = Hashes("abc", {0, 0}, {2, 4});
  const auto second = Hashes("xyz", {0, 0}, {2, 4});
  apart.insert(apart.end(), second.begin(), second.end());
  EXPECT_EQ(Hashes("abc xyz", {0, 0}, {2, 4}), apart);
}

// The hash is part of the file format: this value may never change.
TEST(TextFeatures, HashIsPinned) {
  EXPECT_EQ(Hashes("modicum", {1, 1}), std::vector<uint32_t>{2851250166U});
  EXPECT_EQ(Hashes("a b", {2, 2}), std::vector<uint32_t>{2637419220U});
  EXPECT_EQ(Hashes("é", {0, 0}, {3, 3}), std::vector<uint32_t>{164213788U});
}

TEST(TextFeatures, FewCollisionsAmongManyWords) {
  std::set<uint32_t> distinct;
  constexpr size_t kWords = 100000;
  for (size_t i = 0; i < kWords; ++i)
    distinct.insert(Hashes("word" + std::to_string(i), {1, 1})[0]);
  // A random function into 2^32 values loses 1.2 of 100,000 on average.
  EXPECT_GE(distinct.size(), kWords - 10);
}

TEST(TextFeatures, AnyBytesAreReadWithinBounds) {
  Rng rng(7);
  for (int i = 0; i < 2000; ++i) {
    std::string text(rng.Below(40), '\0');
    for (char& c : text) c = static_cast<char>(rng.Below(256));
    Hashes(text, {1, 4}, {1, 8});
    const std::string lowered = LowerCased(text);
    EXPECT_EQ(lowered.find('\n'), std::string::npos);
    EXPECT_EQ(lowered.find('\0'), std::string::npos);
  }
}

TEST(TextFeatures, LongRunsAreCut) {
  const std::string run(1000, 'x');
  EXPECT_THAT(Hashes(run, {1, 1}), SizeIs(16));  // of 64 characters
}

TEST(LowerCased, KeepsUtf8AndBlanksControlCharacters) {
  EXPECT_EQ(LowerCased("ÀÉ Ünï\tX\r\nŁ日本😀"), "àé ünï x  ł日本😀");
  EXPECT_EQ(LowerCased("\xC0\x80\xFF"), "à\u0080ÿ");
}

TEST(ParseNgramRange, ReadsAndRefuses) {
  EXPECT_EQ(*ParseNgramRange("1-2", "word_ngrams", 4), (NgramRange{1, 2}));
  EXPECT_EQ(*ParseNgramRange("3", "word_ngrams", 4), (NgramRange{3, 3}));
  EXPECT_EQ(*ParseNgramRange("none", "word_ngrams", 4), NgramRange{});
  for (const char* bad : {"", "0", "2-1", "1-5", "1-", "-2", "a", "1-2-3"}) {
    const auto range = ParseNgramRange(bad, "word_ngrams", 4);
    ASSERT_FALSE(range) << bad;
    EXPECT_EQ(range.error().message, "word_ngrams = '" + std::string(bad) +
                                         "' is not a range of n-gram lengths");
    EXPECT_EQ(range.error().hint,
              "write it as '1-2', '3' or 'none', at most 4");
  }
}

TEST(TextOf, RefusesWhatIsNotText) {
  Item item;
  item.id = 5;
  item.payload = Image{};
  EXPECT_EQ(TextOf(item).error().message,
            "item 5 is not a text, and this model reads only text");
}

}  // namespace
}  // namespace modicum
