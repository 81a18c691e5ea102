// SPDX-License-Identifier: Apache-2.0
#include "shrink/bit_allocation.h"

#include <gmock/gmock.h>

#include "base/rng.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;

struct Sum {
  double cost = 0, damage = 0;
};

Sum SumOf(std::span<const BitOptions> groups, std::span<const size_t> chosen) {
  Sum sum;
  for (size_t i = 0; i < groups.size(); ++i) {
    sum.cost += groups[i][chosen[i]].cost;
    sum.damage += groups[i][chosen[i]].damage;
  }
  return sum;
}

// Every choice there is.
double CheapestByEnumeration(std::span<const BitOptions> groups, double bound) {
  std::vector<size_t> chosen(groups.size());
  double best = std::numeric_limits<double>::infinity();
  while (true) {
    const Sum sum = SumOf(groups, chosen);
    if (sum.damage <= bound) best = std::min(best, sum.cost);
    size_t i = 0;
    while (i < groups.size() && ++chosen[i] == groups[i].size())
      chosen[i++] = 0;
    if (i == groups.size()) return best;
  }
}

std::vector<BitOptions> RandomGroups(Rng& rng, size_t groups, size_t options) {
  std::vector<BitOptions> all(groups);
  for (BitOptions& group : all)
    for (size_t i = 0; i < options; ++i)
      group.push_back({rng.Unit(), i == 0 ? 0 : rng.Unit()});
  return all;
}

TEST(BitAllocationTest, EachGroupGetsTheCheapestThatTheBoundAllows) {
  const std::vector<BitOptions> groups = {{{4, 0}, {2, 1}, {1, 5}},
                                          {{8, 0}, {4, 2}, {2, 9}}};
  EXPECT_THAT(*AllocateBits(groups, 100), ElementsAre(2, 2));
  EXPECT_THAT(*AllocateBits(groups, 3), ElementsAre(1, 1));
  EXPECT_THAT(*AllocateBits(groups, 2), ElementsAre(0, 1));
  EXPECT_THAT(*AllocateBits(groups, 0), ElementsAre(0, 0));
}

TEST(BitAllocationTest, AnUnreachableBoundHasNoChoice) {
  const std::vector<BitOptions> groups = {{{1, 2}}, {{1, 2}}};
  EXPECT_FALSE(AllocateBits(groups, 3.9));
  EXPECT_TRUE(AllocateBits(groups, 4));
}

TEST(BitAllocationTest, NoGroupsNeedNoChoice) {
  EXPECT_THAT(*AllocateBits({}, 0), ElementsAre());
}

TEST(BitAllocationTest, IsTheBestOfAllChoices) {
  Rng rng(7);
  for (int round = 0; round < 200; ++round) {
    const auto groups = RandomGroups(rng, 5, 4);
    const double bound = 2 * rng.Unit();
    const auto chosen = AllocateBits(groups, bound);
    ASSERT_TRUE(chosen);
    const Sum sum = SumOf(groups, *chosen);
    EXPECT_LE(sum.damage, bound);
    EXPECT_NEAR(sum.cost, CheapestByEnumeration(groups, bound), 1e-12);
  }
}

TEST(BitAllocationTest, AWiderBoundIsNeverDearer) {
  Rng rng(8);
  const auto groups = RandomGroups(rng, 12, 6);
  double before = std::numeric_limits<double>::infinity();
  for (double bound = 0; bound < 6; bound += 0.25) {
    const double cost = SumOf(groups, *AllocateBits(groups, bound)).cost;
    EXPECT_LE(cost, before + 0.012);  // a front of so many is thinned
    before = std::min(before, cost);
  }
}

TEST(BitAllocationTest, ManyGroupsStayWithinTheBound) {
  Rng rng(9);
  const auto groups = RandomGroups(rng, 60, 6);
  const auto chosen = AllocateBits(groups, 5);
  ASSERT_TRUE(chosen);
  EXPECT_LE(SumOf(groups, *chosen).damage, 5);
}

}  // namespace
}  // namespace modicum
