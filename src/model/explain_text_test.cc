// SPDX-License-Identifier: Apache-2.0
#include "model/explain_text.h"

#include <gmock/gmock.h>

namespace modicum {
namespace {

uint32_t OnlyHash(std::string_view text, const FeatureConfig& config) {
  std::vector<uint32_t> hashes;
  HashFeatures(text, config, hashes);
  return hashes.back();
}

// Every n-gram of a text has a name, and the name alone hashes to it again.
TEST(NgramText, IsTheNgramOfEveryHash) {
  const std::string text =
      "Buy NOW, Żółta Éclair! x 東京タワー don't "
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "a";
  const FeatureConfig config{{1, 3}, {0, 0}};
  std::vector<uint32_t> hashes;
  HashFeatures(text, config, hashes);
  ASSERT_GT(hashes.size(), 20U);
  for (const uint32_t hash : hashes) {
    const std::string name = NgramText(text, config, hash);
    ASSERT_NE(name, "");
    EXPECT_EQ(OnlyHash(name, config), hash) << name;
  }
}

TEST(NgramText, LowerCasedAsItStands) {
  const FeatureConfig config{{1, 2}, {0, 0}};
  const std::string text = "Get  FREE\nOffer, free offer";
  EXPECT_EQ(NgramText(text, config, OnlyHash("free offer", config)),
            "free offer");
  EXPECT_EQ(NgramText(text, config, OnlyHash("get", config)), "get");
  EXPECT_EQ(NgramText(text, config, OnlyHash("offers", config)), "");
  EXPECT_EQ(NgramText("", config, 7), "");
}

TEST(NgramText, CharactersAreQuotedWithTheirBlanks) {
  const FeatureConfig config{{0, 0}, {3, 3}};
  std::vector<uint32_t> hashes;
  HashFeatures("Via", config, hashes);
  std::vector<std::string> names;
  for (const uint32_t hash : hashes)
    names.push_back(NgramText("a Via", config, hash));
  EXPECT_THAT(names, testing::ElementsAre("' vi'", "'via'", "'ia '"));
}

// Folding keeps the lowest bits, and the first of those that share a hash is
// told.
TEST(NgramText, FoldedHashes) {
  const FeatureConfig wide{{1, 1}, {0, 0}};
  FeatureConfig folded = wide;
  folded.hash_bits = 4;
  for (const char* word : {"one", "two", "three", "four"}) {
    EXPECT_EQ(OnlyHash(word, folded), OnlyHash(word, wide) & 15U);
    EXPECT_EQ(NgramText(word, folded, OnlyHash(word, folded)), word);
  }
  folded.hash_bits = 1;
  EXPECT_EQ(NgramText("one one", folded, OnlyHash("one", folded)), "one");
}

TEST(ExplainText, StrongestFirstTiesInOrderZerosLeftOut) {
  const FeatureConfig config{{1, 1}, {0, 0}};
  const auto hash = [&](const char* word) { return OnlyHash(word, config); };
  const auto reasons = ExplainText(
      "a b c d e", config,
      {{hash("a"), 1}, {hash("b"), -3}, {hash("c"), 0}, {hash("d"), -1}}, 3);
  ASSERT_EQ(reasons.size(), 3U);
  EXPECT_EQ(reasons[0].feature, "b");
  EXPECT_EQ(reasons[0].effect, -3);
  EXPECT_EQ(reasons[1].feature, "a");
  EXPECT_EQ(reasons[2].feature, "d");
  EXPECT_EQ(ExplainText("a", config, {{hash("a"), 0}}, 3).size(), 0U);
}

}  // namespace
}  // namespace modicum
