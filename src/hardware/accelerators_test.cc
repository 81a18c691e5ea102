// SPDX-License-Identifier: Apache-2.0
#include "hardware/accelerators.h"

#include <gtest/gtest.h>

#include <set>

namespace modicum {
namespace {

TEST(Accelerators, EachNameIsUniqueAndEachFigurePossible) {
  std::set<std::string> names;
  for (const Accelerator& chip : Accelerators()) {
    EXPECT_TRUE(names.insert(chip.id).second) << chip.id;
    for (const std::string& alias : chip.aliases)
      EXPECT_TRUE(names.insert(alias).second) << alias;
    EXPECT_GT(chip.Peak("bf16"), 1e12) << chip.id;
    EXPECT_GE(chip.Peak("fp8"), chip.Peak("bf16")) << chip.id;
    EXPECT_GT(chip.bandwidth, 1e11) << chip.id;
    EXPECT_GT(chip.memory.value(), 1e10) << chip.id;
    EXPECT_GT(chip.tdp.value(), chip.idle.value()) << chip.id;
    EXPECT_FALSE(chip.source.empty());
  }
}

TEST(Accelerators, PeaksAreDense) {
  // The figures that sheets print "with sparsity" are twice these.
  EXPECT_EQ((*FindAccelerator("h100"))->bf16, 989e12);
  EXPECT_EQ((*FindAccelerator("h100"))->fp8, 1979e12);
  EXPECT_EQ((*FindAccelerator("a100"))->bf16, 312e12);
  EXPECT_EQ((*FindAccelerator("l40s"))->bf16, 362e12);
}

TEST(Accelerators, OldChipsComputeInWhatTheyHave) {
  EXPECT_EQ((*FindAccelerator("V100"))->Peak("bf16"), 125e12);
  EXPECT_EQ((*FindAccelerator("a100-80"))->Peak("fp8"), 312e12);
  EXPECT_EQ((*FindAccelerator("epyc-rome"))->Peak("bf16"), 4.6e12);
}

TEST(Accelerators, UnknownNameSuggests) {
  const auto chip = FindAccelerator("a100-90");
  ASSERT_FALSE(chip);
  EXPECT_EQ(chip.error().message,
            "unknown chip 'a100-90', did you mean 'a100-40'?");
}

TEST(Accelerators, ChangesAreChecked) {
  const Accelerator& base = **FindAccelerator("t4");
  const auto changed = ChangedAccelerator(base, "tdp=75,memory=24");
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->tdp.value(), 75);
  EXPECT_EQ(changed->memory.value(), 24e9);
  EXPECT_FALSE(ChangedAccelerator(base, "tdp=-1"));
  EXPECT_FALSE(ChangedAccelerator(base, "tdp"));
  EXPECT_EQ(ChangedAccelerator(base, "tpd=5").error().message,
            "a chip has no 'tpd', did you mean 'tdp'?");
}

}  // namespace
}  // namespace modicum
