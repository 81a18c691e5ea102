// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/rng.h"
#include "dataset/dataset.h"

namespace modicum {
namespace {

std::string Words(Rng& rng, int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += "w" + std::to_string(rng.Below(5000)) + " ";
  return text;
}

Dataset DataOf(const std::vector<std::string>& texts) {
  Dataset data;
  for (const std::string& text : texts) {
    Item item;
    item.id = item.group = data.items.size();
    item.payload = Text{text};
    data.items.push_back(std::move(item));
  }
  return data;
}

const std::string& TextAt(const Dataset& data, size_t i) {
  return std::get<Text>(data.items[i].payload).text;
}

// The groups as sets of texts, whatever their numbers.
std::set<std::multiset<std::string>> Partition(const Dataset& data) {
  std::map<uint64_t, std::multiset<std::string>> groups;
  for (size_t i = 0; i < data.items.size(); ++i)
    groups[data.items[i].group].insert(TextAt(data, i));
  std::set<std::multiset<std::string>> partition;
  for (const auto& group : groups) partition.insert(group.second);
  return partition;
}

// `text` with its last word replaced: of n words, n - 4 shingles, it loses
// one and gains one, so J = (n - 5) / (n - 3).
std::string OneWordChanged(const std::string& text) {
  return text.substr(0, text.rfind(' ', text.size() - 2) + 1) + "other ";
}

TEST(NearDuplicates, SimilarityDecidesAsComputedByHand) {
  Rng rng(1);
  const std::string twenty = Words(rng, 20);  // J = 15/17 = 0.882
  const std::string ten = Words(rng, 10);     // J = 5/7 = 0.714
  Dataset data = DataOf({twenty, OneWordChanged(twenty), ten,
                         OneWordChanged(ten), Words(rng, 20)});
  EXPECT_EQ(GroupNearDuplicates(data, 0.8), 2U);
  EXPECT_EQ(data.items[0].group, data.items[1].group);
  EXPECT_NE(data.items[2].group, data.items[3].group);
  EXPECT_EQ(GroupNearDuplicates(data, 0.7), 4U);
  EXPECT_EQ(GroupNearDuplicates(data, 0.89), 0U);
}

TEST(NearDuplicates, CaseAndSpaceDoNotCountShortAndEmptyTextsDo) {
  Dataset data = DataOf({"Buy  now\n", "buy NOW", "buy", "", "  \n", "buy it"});
  EXPECT_EQ(GroupNearDuplicates(data), 4U);
  EXPECT_EQ(data.items[0].group, data.items[1].group);
  EXPECT_EQ(data.items[3].group, data.items[4].group);
  EXPECT_NE(data.items[0].group, data.items[2].group);
}

TEST(NearDuplicates, GroupIsItsFirstItemAndAnItemAloneIsItsOwn) {
  Dataset data = DataOf({"x y", "a b", "c d", "a b"});
  GroupNearDuplicates(data);
  EXPECT_EQ(data.items[0].group, 0U);
  EXPECT_EQ(data.items[1].group, 1U);
  EXPECT_EQ(data.items[2].group, 2U);
  EXPECT_EQ(data.items[3].group, 1U);
}

// Nearly all planted copies are found, nothing else is joined, and the order
// of the items does not matter.
TEST(NearDuplicates, FindsPlantedCopiesInAnyOrder) {
  Rng rng(2);
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) {
    texts.push_back(Words(rng, 60));
    if (i % 3 == 0) texts.push_back(OneWordChanged(texts.back()));
  }
  Dataset data = DataOf(texts);
  EXPECT_EQ(GroupNearDuplicates(data), 200U);
  EXPECT_EQ(Partition(data).size(), 300U);
  for (int round = 0; round < 3; ++round) {
    rng.Shuffle(texts);
    Dataset shuffled = DataOf(texts);
    GroupNearDuplicates(shuffled);
    EXPECT_EQ(Partition(shuffled), Partition(data));
  }
}

TEST(NearDuplicates, ManyCopiesOfOneTextAreOneGroup) {
  Rng rng(3);
  const std::string text = Words(rng, 50);
  std::vector<std::string> texts;
  for (int i = 0; i < 3000; ++i)
    texts.push_back(text + "copy" + std::to_string(i));
  Dataset data = DataOf(texts);
  EXPECT_EQ(GroupNearDuplicates(data), 3000U);
  EXPECT_EQ(Partition(data).size(), 1U);
}

TEST(NearDuplicates, WhatIsNotTextIsLeftAlone) {
  Dataset data = DataOf({"a", "a"});
  data.items[0].payload = Image{};
  data.items[1].payload = Image{};
  EXPECT_EQ(GroupNearDuplicates(data), 0U);
  EXPECT_NE(data.items[0].group, data.items[1].group);
}

}  // namespace
}  // namespace modicum
