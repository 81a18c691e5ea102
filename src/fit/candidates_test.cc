// SPDX-License-Identifier: Apache-2.0
#include "fit/candidates.h"

#include <gtest/gtest.h>

#include <set>

namespace modicum {
namespace {

TEST(Candidates, AreHumblestFirstWithUniqueNamesAndHashes) {
  const auto candidates = EnumerateCandidates({});
  ASSERT_TRUE(candidates.has_value());
  std::set<std::string> names;
  std::set<Hash> hashes;
  std::set<std::string> families;
  for (const Candidate& candidate : *candidates) {
    EXPECT_TRUE(names.insert(candidate.name).second) << candidate.name;
    EXPECT_TRUE(hashes.insert(HashOf(candidate)).second) << candidate.name;
    EXPECT_EQ(candidate.first_of_family,
              families.insert(candidate.family).second);
  }
  EXPECT_EQ(candidates->front().family, "majority");
  EXPECT_EQ(families.size(), Families().size());
}

TEST(Candidates, OnlyTheFamiliesAskedFor) {
  const auto candidates = EnumerateCandidates({"fasttext"});
  ASSERT_TRUE(candidates.has_value());
  for (const Candidate& candidate : *candidates)
    EXPECT_EQ(candidate.family, "fasttext");
}

TEST(Candidates, OneMayBeAskedForByName) {
  const auto candidates = EnumerateCandidates({"linear, characters"});
  ASSERT_TRUE(candidates.has_value());
  ASSERT_EQ(candidates->size(), 1U);
  EXPECT_EQ(candidates->front().name, "linear, characters");
  EXPECT_TRUE(candidates->front().first_of_family);
}

TEST(Candidates, AnUnknownFamilyIsRefusedWithAHint) {
  const auto candidates = EnumerateCandidates({"liner"});
  ASSERT_FALSE(candidates.has_value());
  EXPECT_EQ(candidates.error().message,
            "families: unknown family 'liner', did you mean 'linear'?");
  EXPECT_EQ(candidates.error().hint,
            "families are: majority, linear, fasttext");
}

}  // namespace
}  // namespace modicum
