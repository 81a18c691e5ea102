// SPDX-License-Identifier: Apache-2.0
#include "model/feature_selection.h"

#include <gmock/gmock.h>

#include "model/test_data.h"

namespace modicum {
namespace {

using testing::ElementsAre;

std::vector<uint32_t> HashesOf(const std::vector<HashCount>& entries) {
  std::vector<uint32_t> hashes;
  for (const HashCount& entry : entries) hashes.push_back(entry.hash);
  return hashes;
}

// Manning, Raghavan and Schuetze, "Introduction to Information Retrieval"
// (2008), example 13.4: "export" and the class poultry, N11 = 49, N10 = 27652,
// N01 = 141, N00 = 774106; X^2 is about 284.
TEST(ChiSquared, PublishedExample) {
  EXPECT_NEAR(ChiSquared(49, 27652, 141, 774106), 284, 0.5);
}

TEST(ChiSquared, IndependenceIsZeroAndPerfectionIsN) {
  EXPECT_EQ(ChiSquared(10, 30, 20, 60), 0);
  EXPECT_EQ(ChiSquared(25, 0, 0, 75), 100);
  EXPECT_EQ(ChiSquared(0, 75, 25, 0), 100);  // absence tells as much
}

TEST(ChiSquared, AnEmptyMarginIsZero) {
  EXPECT_EQ(ChiSquared(10, 20, 0, 0), 0);  // in every text
  EXPECT_EQ(ChiSquared(0, 0, 10, 20), 0);  // in none
  EXPECT_EQ(ChiSquared(5, 0, 5, 0), 0);    // one class
}

// Five texts of two classes: 1 is in all, 2 marks class 0, 3 nearly does, 4
// is noise.
std::vector<Document> Documents() {
  return {{{1, 3}, {2, 1}, {3, 1}},
          {{1, 1}, {2, 1}, {3, 2}, {4, 1}},
          {{1, 1}, {2, 5}},
          {{1, 1}, {4, 1}},
          {{1, 2}}};
}
const std::vector<uint32_t> kClasses{0, 0, 0, 1, 1};

TEST(SelectByChiSquared, KeepsTheTellingOnesInTheVocabularysOrder) {
  const auto documents = Documents();
  const auto vocabulary = CountDocuments(documents, 1);
  ASSERT_THAT(HashesOf(vocabulary), ElementsAre(1, 2, 3, 4));
  const auto select = [&](size_t keep) {
    return HashesOf(
        SelectByChiSquared(documents, kClasses, 2, vocabulary, keep));
  };
  EXPECT_THAT(select(1), ElementsAre(2));
  EXPECT_THAT(select(2), ElementsAre(2, 3));
  EXPECT_THAT(select(3), ElementsAre(2, 3, 4));
  EXPECT_THAT(select(4), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(select(99), ElementsAre(1, 2, 3, 4));
}

TEST(SelectByChiSquared, TiesGoToTheEarlierEntry) {
  // Every n-gram is in one text of each class: all scores are zero.
  const std::vector<Document> documents{{{7, 1}, {8, 1}, {9, 1}},
                                        {{7, 1}, {8, 1}, {9, 1}}};
  const std::vector<uint32_t> classes{0, 1};
  const auto vocabulary = CountDocuments(documents, 1);
  EXPECT_THAT(
      HashesOf(SelectByChiSquared(documents, classes, 2, vocabulary, 2)),
      ElementsAre(7, 8));
}

// Fewer features are always among more features.
TEST(SelectByChiSquared, SelectionsAreNested) {
  const Dataset data = MakeTopics(4, 30);
  const auto documents =
      ReadDocuments(data, AllRowsOf(data), {{1, 2}, {0, 0}}, {}).value();
  std::vector<uint32_t> classes;
  for (const Item& item : data.items)
    classes.push_back(static_cast<uint32_t>(item.label));
  const auto vocabulary = CountDocuments(documents, 1);
  std::vector<uint32_t> last;
  for (const size_t keep : {1U, 5U, 20U, 100U, 400U}) {
    auto now =
        HashesOf(SelectByChiSquared(documents, classes, 4, vocabulary, keep));
    EXPECT_EQ(now.size(), keep);
    for (const uint32_t hash : last) EXPECT_THAT(now, testing::Contains(hash));
    last = now;
  }
}

TEST(CountDocuments, TheMostFrequentFirstEqualOnesByHash) {
  const auto vocabulary = CountDocuments(Documents(), 2);
  ASSERT_THAT(HashesOf(vocabulary), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(vocabulary[0].count, 5U);
  EXPECT_EQ(vocabulary[3].count, 2U);
  EXPECT_THAT(HashesOf(CountDocuments(Documents(), 3)), ElementsAre(1, 2));
}

}  // namespace
}  // namespace modicum
