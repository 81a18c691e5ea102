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

TEST(WorkCount, TqdmScalesUnits) {
  const auto of = [](std::string_view counts) {
    const std::string bar =
        "100%|####| " + std::string(counts) + " [00:00<00:00, 100.0it/s]";
    return Total("image", {bar});
  };
  EXPECT_EQ(of("1.20k/1.20k"), 1200);
  EXPECT_EQ(of("20.0/1.20k"), 20);
  EXPECT_EQ(of("12.3k/20.0k"), 12'300);
  EXPECT_EQ(of("120k/1.00M"), 120'000);
  EXPECT_EQ(of("2.50M/2.50M"), 2'500'000);
  EXPECT_EQ(of("1.00G/1.00G"), 1e9);
  EXPECT_EQ(of("9.00T/9.00T"), 9e12);
  EXPECT_EQ(of("1.00P/1.00P"), 1e15);
  EXPECT_EQ(of("9.00E/9.00E"), 0);  // nothing counts so far
}

TEST(WorkCount, TqdmBarsWithoutATotalAreCounted) {
  EXPECT_EQ(Total("image", {"0it [00:00, ?it/s]", "37it [00:00, 100.0it/s]"}),
            37);
  EXPECT_EQ(Total("image", {"cats: 1.20kB [1:00:00, 3.0B/s, loss=2]"}), 1200);
  EXPECT_EQ(Total("image", {"37Epochs [00:00, 1.0Epochs/s]"}), 37);
  EXPECT_EQ(Total("image", {"12 tokens [00:00, ? tokens/s]"}), 12);
  EXPECT_EQ(Total("image", {"8 [a, b]", "7 [x, y", "9 [00:01]", "12: [INFO]"}),
            0);
}

TEST(WorkCount, WhatIsTooMuchIsNoCount) {
  EXPECT_EQ(Total("n=([0-9e.+-]+)", {"n=1e24", "n=inf", "n=7"}), 7);
  EXPECT_EQ(Total("image", {"| 1e24/1e24 [00:00<00:00"}), 0);
  EXPECT_EQ(Total("token", {"eval time = 1 ms / 1e24 runs"}), 0);
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
