// SPDX-License-Identifier: Apache-2.0
#include "bench/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "record/sample_bench.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;

// The sample's rows from `begin` to `end`.
NamedBench Part(std::string name, size_t begin, size_t end) {
  BenchResult part = SampleBench();
  part.rows = {part.rows.begin() + static_cast<ptrdiff_t>(begin),
               part.rows.begin() + static_cast<ptrdiff_t>(end)};
  part.protocol.shard = "0/2";
  return {std::move(name), std::move(part)};
}

TEST(Merge, ShardsGiveTheWholeAndItsStars) {
  const std::vector<NamedBench> parts = {Part("a.json", 0, 3),
                                         Part("b.json", 3, 6)};
  const auto merged = MergeBenches(parts);
  ASSERT_TRUE(merged.has_value()) << merged.error().message;
  EXPECT_EQ(merged->rows.size(), 6U);
  EXPECT_EQ(merged->protocol.shard, "");
  EXPECT_EQ(merged->star_sets.size(), 1U);
  EXPECT_EQ(merged->rows[0].stars_quintile, 5);
  EXPECT_EQ(merged->rows[4].stars_quintile, 1);
  EXPECT_EQ(merged->published.size(), 2U);
  EXPECT_EQ(merged->factors.size(), 1U);
}

TEST(Merge, TheSameRowTwiceIsOneAndAnotherMeasurementIsRefused) {
  std::vector<NamedBench> parts = {Part("a.json", 0, 6), Part("b.json", 2, 4)};
  EXPECT_EQ(MergeBenches(parts)->rows.size(), 6U);
  parts[1].second.rows[0].runs[0].repeat.energy.mid += Joules(1);
  const auto merged = MergeBenches(parts);
  ASSERT_FALSE(merged.has_value());
  EXPECT_EQ(merged.error().message,
            "cannot merge b.json: fasttext.modicum on sst2.test is in another "
            "file too, with other readings");
}

TEST(Merge, AMeasuredRowTakesThePlaceOfAFailedOne) {
  std::vector<NamedBench> parts = {Part("a.json", 0, 6), Part("b.json", 1, 2)};
  BenchRow& failed = parts[0].second.rows[1];
  failed.runs.clear();
  failed.failure = "no memory";
  failed.joules_per_1000.reset();
  const auto merged = MergeBenches(parts);
  ASSERT_TRUE(merged.has_value());
  EXPECT_EQ(merged->rows.size(), 6U);
  EXPECT_EQ(merged->rows[1].failure, "");
  // And the other way round.
  std::swap(parts[0], parts[1]);
  EXPECT_EQ(MergeBenches(parts)->rows[0].failure, "");
}

TEST(Merge, AnotherProtocolOrPlaceIsRefused) {
  std::vector<NamedBench> parts = {Part("a.json", 0, 3), Part("b.json", 3, 6)};
  parts[1].second.protocol.inferences = 10;
  EXPECT_EQ(MergeBenches(parts).error().message,
            "cannot merge a.json and b.json: they were measured by another "
            "protocol");
  parts[1].second.protocol.inferences = 1000;
  parts[1].second.place = "Sweden";
  EXPECT_EQ(MergeBenches(parts).error().message,
            "cannot merge a.json and b.json: one is priced for Poland, one for "
            "Sweden");
}

TEST(Merge, WhatWasInterruptedStaysMarked) {
  std::vector<NamedBench> parts = {Part("a.json", 0, 3), Part("b.json", 3, 6)};
  parts[1].second.interrupted = true;
  parts[1].second.notes = {"interrupted: 3 of 4 rows are here"};
  const auto merged = MergeBenches(parts);
  EXPECT_TRUE(merged->interrupted);
  EXPECT_THAT(merged->notes[0], HasSubstr("interrupted"));
}

}  // namespace
}  // namespace modicum
