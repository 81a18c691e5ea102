// SPDX-License-Identifier: Apache-2.0
#include "cli/work_count.h"

#include <gtest/gtest.h>

#include <vector>

namespace modicum {
namespace {

double Total(const std::string& spec,
             const std::vector<std::string_view>& lines) {
  auto count = MakeWorkCount(spec);
  EXPECT_TRUE(count);
  for (const std::string_view line : lines) (*count)->Line(line);
  return (*count)->total();
}

TEST(WorkCount, LlamaTokensAreThoseGenerated) {
  EXPECT_EQ(
      Total("token",
            {"prompt eval time =     120.10 ms /    12 tokens (   10 ms)",
             "       eval time =    1234.56 ms /    63 runs   (   19.6 ms",
             "       eval time =     100.00 ms /     7 tokens (   14.3",
             "      total time =    1400.00 ms /    75 tokens",
             "eval time =", "eval time = 1 ms / none"}),
      70);
}

TEST(WorkCount, TqdmBarsAreSummed) {
  EXPECT_EQ(Total("image", {"  0%|          | 0/50 [00:00<?, ?it/s]",
                            " 40%|####      | 20/50 [00:04<00:06,  4.9it/s]",
                            "100%|##########| 50/50 [00:10<00:00,  4.9it/s]",
                            " 10%|#         | 3/30 [00:01<00:09,  3.0it/s]",
                            "a | table | 7 [x"}),
            53);
}

TEST(WorkCount, AGroupIsANumber) {
  EXPECT_EQ(Total("done: ([0-9.]+) rows", {"done: 10 rows", "x",
                                           "done: 2.5 "
                                           "rows",
                                           "done: . rows"}),
            12.5);
}

TEST(WorkCount, WithoutAGroupAMatchIsOne) {
  EXPECT_EQ(Total("^step ", {"step 1", "step 2", "a step 3"}), 2);
}

TEST(WorkCount, ALineNeedsNoEnd) {
  const std::string text = "n=12345";
  EXPECT_EQ(Total("n=([0-9]+)", {std::string_view(text).substr(0, 4)}), 12);
}

TEST(WorkCount, WhatIsNoExpressionIsSaid) {
  const auto count = MakeWorkCount("(");
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().message, "--per '(': Unmatched ( or \\(");
}

}  // namespace
}  // namespace modicum
