// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/rng.h"
#include "dataset/dataset.h"

namespace modicum {
namespace {

using testing::ElementsAre;

// `items` with labels by the given weights and groups of 1 to `max_group`.
Dataset RandomData(uint64_t seed, size_t items, std::vector<int> weights,
                   uint32_t max_group) {
  Rng rng(seed);
  Dataset data;
  std::vector<LabelIndex> deck;
  for (size_t label = 0; label < weights.size(); ++label) {
    data.labels.push_back("c" + std::to_string(label));
    deck.insert(deck.end(), static_cast<size_t>(weights[label]),
                static_cast<LabelIndex>(label));
  }
  while (data.items.size() < items) {
    const uint64_t group = data.items.size();
    const LabelIndex label =
        deck[rng.Below(static_cast<uint32_t>(deck.size()))];
    for (uint32_t n = 1 + rng.Below(max_group); n > 0; --n) {
      Item item;
      item.id = data.items.size();
      item.group = group;
      item.label = label;
      item.payload = Text{"text " + std::to_string(item.id)};
      data.items.push_back(std::move(item));
    }
  }
  return data;
}

using Side = std::vector<uint32_t>;

std::map<LabelIndex, double> Shares(const Dataset& data, const Side& side) {
  std::map<LabelIndex, double> shares;
  for (const uint32_t i : side) shares[data.items[i].label] += 1;
  for (auto& share : shares) share.second /= static_cast<double>(side.size());
  return shares;
}

std::set<std::string> Texts(const Dataset& data, const Side& side) {
  std::set<std::string> texts;
  for (const uint32_t i : side)
    texts.insert(std::get<Text>(data.items[i].payload).text);
  return texts;
}

TEST(SplitDataset, IsAStratifiedPartitionThatKeepsGroupsWhole) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Dataset data = RandomData(seed, 2000, {70, 25, 5}, 6);
    SplitOptions options;
    options.seed = seed;
    const auto split = SplitDataset(data, options);
    ASSERT_TRUE(split.has_value()) << split.error().message;
    std::vector<uint32_t> all;
    std::map<uint64_t, std::set<int>> sides_of_group;
    int number = 0;
    for (const Side* side : {&split->train, &split->validation, &split->test}) {
      EXPECT_TRUE(std::is_sorted(side->begin(), side->end()));
      for (const uint32_t i : *side)
        sides_of_group[data.items[i].group].insert(number);
      all.insert(all.end(), side->begin(), side->end());
      ++number;
    }
    std::sort(all.begin(), all.end());
    ASSERT_EQ(all.size(), data.items.size());
    for (uint32_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], i);
    for (const auto& group : sides_of_group)
      EXPECT_EQ(group.second.size(), 1U) << group.first;
    // Half the largest group and a rounding, for each of three classes.
    const auto n = static_cast<double>(data.items.size());
    EXPECT_NEAR(static_cast<double>(split->test.size()), 0.3 * n, 3 * 3.5);
    EXPECT_NEAR(static_cast<double>(split->validation.size()), 0.15 * n,
                3 * 3.5);
    const auto whole = Shares(data, all);
    for (const auto& [label, share] : Shares(data, split->test))
      EXPECT_NEAR(share, whole.at(label), 0.02);
  }
}

TEST(SplitDataset, SameSeedSameSplitOtherSeedAnother) {
  const Dataset data = RandomData(5, 500, {1, 1}, 3);
  const auto a = SplitDataset(data, {});
  const auto b = SplitDataset(data, {});
  EXPECT_EQ(a->test, b->test);
  EXPECT_EQ(a->train, b->train);
  const auto c = SplitDataset(data, {.seed = 2});
  EXPECT_NE(a->test, c->test);
}

// A golden case: the split is part of every result, so it may not drift with
// the platform, the compiler or a change of ours.
TEST(SplitDataset, IsTheSameOnEveryMachine) {
  const Dataset data = RandomData(9, 20, {1, 1}, 1);
  const auto split = SplitDataset(data, {});
  ASSERT_TRUE(split.has_value());
  EXPECT_THAT(split->test, ElementsAre(2, 3, 7, 8, 15, 17));
}

TEST(SplitDataset, DoesNotDependOnTheOrderOfTheRows) {
  const Dataset data = RandomData(6, 400, {3, 1}, 4);
  const auto split = SplitDataset(data, {});
  Dataset shuffled = data;
  Rng rng(1);
  rng.Shuffle(shuffled.items);
  const auto other = SplitDataset(shuffled, {});
  EXPECT_EQ(Texts(data, split->test), Texts(shuffled, other->test));
  EXPECT_EQ(Texts(data, split->validation), Texts(shuffled, other->validation));
}

TEST(SplitDataset, AClassOfThreeGroupsIsOnEverySide) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Dataset data = RandomData(seed, 300, {1}, 2);
    data.labels.push_back("rare");
    for (size_t i = 0; i < 3; ++i) {
      Item item;
      item.id = item.group = 1000 + i;
      item.label = 1;
      item.payload = Text{"rare " + std::to_string(i)};
      data.items.push_back(std::move(item));
    }
    const auto split = SplitDataset(data, {.seed = seed});
    ASSERT_TRUE(split.has_value()) << split.error().message;
    for (const Side* side : {&split->train, &split->validation, &split->test})
      EXPECT_EQ(Shares(data, *side).count(1), 1U);
  }
}

TEST(SplitDataset, NamesTheClassThatCannotBeOnEverySide) {
  Dataset data = RandomData(1, 100, {1}, 1);
  data.labels.push_back("rare");
  for (size_t i = 98; i < 100; ++i) data.items[i].label = 1;
  const auto split = SplitDataset(data, {});
  ASSERT_FALSE(split.has_value());
  EXPECT_EQ(split.error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(split.error().message,
            "cannot split: class 'rare' has 2 rows, near-duplicates kept "
            "together, and none is left for train");
  // Without validation two groups are enough.
  EXPECT_TRUE(SplitDataset(data, {.validation = 0}).has_value());
}

TEST(SplitDataset, RefusesFractionsThatLeaveNothingToTrainOn) {
  const Dataset data = RandomData(1, 100, {1, 1}, 1);
  for (const auto& [validation, test] :
       {std::pair(0.5, 0.5), std::pair(-0.1, 0.3), std::pair(0.0, 1.0)}) {
    const auto split =
        SplitDataset(data, {.validation = validation, .test = test});
    ASSERT_FALSE(split.has_value());
    EXPECT_EQ(split.error().code, ErrorCode::kInvalidInput);
  }
}

TEST(SplitDataset, SplitsUnlabelledData) {
  Dataset data = RandomData(1, 100, {1}, 1);
  data.labels.clear();
  for (Item& item : data.items) item.label = kUnlabelled;
  const auto split = SplitDataset(data, {});
  ASSERT_TRUE(split.has_value());
  EXPECT_EQ(split->test.size(), 30U);
  EXPECT_EQ(split->validation.size(), 15U);
}

}  // namespace
}  // namespace modicum
