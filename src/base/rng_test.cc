// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace modicum {
namespace {

// PCG32 with any stream, written from the paper (O'Neill, HMC-CS-2014-0905).
class Pcg32 {
 public:
  Pcg32(uint64_t seed, uint64_t increment) : increment_(increment) {
    state_ = (seed + increment) * kMultiplier + increment;
  }
  uint32_t Next() {
    const uint64_t old = state_;
    state_ = old * kMultiplier + increment_;
    const auto x = static_cast<uint32_t>(((old >> 18) ^ old) >> 27);
    const auto r = static_cast<uint32_t>(old >> 59);
    return r == 0 ? x : (x >> r) | (x << (32 - r));
  }

 private:
  static constexpr uint64_t kMultiplier = 6364136223846793005ULL;
  uint64_t increment_;
  uint64_t state_;
};

TEST(Rng, IsPcg32) {
  // The reference first, by the output that pcg32-demo prints for seed 42 and
  // stream 54 (pcg-random.org); then ours, on the default stream.
  Pcg32 demo(42, 2 * 54 + 1);
  for (const uint32_t expected : {0xa15c02b7U, 0x7b47f409U, 0xba1d3330U,
                                  0x83d2f293U, 0xbfa4784bU, 0xcbed606eU})
    EXPECT_EQ(demo.Next(), expected);
  Pcg32 reference(42, 1442695040888963407ULL);
  Rng rng(42);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(rng.Next(), reference.Next());
}

TEST(Rng, StreamNeverChanges) {
  // Every split and every resample in a ledger hangs on these.
  Rng rng(1);
  std::array<uint32_t, 4> first{};
  for (uint32_t& value : first) value = rng.Next();
  EXPECT_THAT(first, ::testing::ElementsAre(1412771199U, 1791099446U,
                                            124312908U, 1968572995U));
}

TEST(Rng, BelowIsUniformAndInRange) {
  Rng rng(3);
  std::array<int, 7> counts{};
  constexpr int kDraws = 70'000;
  for (int i = 0; i < kDraws; ++i) ++counts.at(rng.Below(7));
  double chi_square = 0;
  for (const int count : counts)
    chi_square += (count - 10'000.0) * (count - 10'000.0) / 10'000.0;
  EXPECT_LT(chi_square, 22.46);  // 99.9 % point of chi-square, 6 degrees
  EXPECT_GT(chi_square, 0.38);   // 0.1 %: not suspiciously even either
}

TEST(Rng, BelowOneAndTheLargestBound) {
  Rng rng(4);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(rng.Below(1), 0U);
    EXPECT_LT(rng.Below(0xFFFFFFFFU), 0xFFFFFFFFU);
  }
}

TEST(Rng, UnitIsInHalfOpenInterval) {
  Rng rng(5);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double u = rng.Unit();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 5 * 0.2887 / 316);
}

TEST(Rng, ShuffleIsAPermutationAndUniform) {
  Rng rng(6);
  std::array<int, 3> first_places{};
  for (int round = 0; round < 30'000; ++round) {
    std::vector<size_t> items{0, 1, 2};
    rng.Shuffle(items);
    ++first_places.at(items[0]);
    ASSERT_THAT(items, ::testing::UnorderedElementsAre(0U, 1U, 2U));
  }
  for (const int count : first_places)
    EXPECT_NEAR(count, 10'000, 5 * 82);  // 5 standard deviations
  std::vector<int> empty;
  rng.Shuffle(empty);
  EXPECT_TRUE(empty.empty());
}

}  // namespace
}  // namespace modicum
