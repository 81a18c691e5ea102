// SPDX-License-Identifier: Apache-2.0
#include "cli/block_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace modicum {
namespace {

TEST(BlockText, NamesStandLeftAndDetailsDeeper) {
  EXPECT_EQ(BlockLine("place", "Poland"), "place     Poland\n");
  EXPECT_EQ(BlockLine("", "rapl      in use      "),
            "          rapl      in use\n");
  EXPECT_EQ(BlockFault("no sensor", "buy one"),
            "            no sensor\n"
            "            cure: buy one\n");
  EXPECT_EQ(BlockFault("no sensor", ""), "            no sensor\n");
  EXPECT_EQ(BlockLine("", ""), "\n");
}

TEST(BlockText, LinesWrapBetweenWordsAtEightyColumns) {
  std::string text;
  for (int i = 0; i < 100; ++i)
    text += (i > 0 ? " ż" : "ż") + std::to_string(i);
  const std::string block = BlockLine("x", text);
  size_t begin = 0;
  for (size_t end; (end = block.find('\n', begin)) != std::string::npos;
       begin = end + 1)
    EXPECT_LE(end - begin, 80 + 25U);  // bytes; ż has two
  EXPECT_THAT(block, ::testing::StartsWith("x         ż0 ż1"));
  EXPECT_THAT(block, ::testing::HasSubstr("\n              ż"));
  EXPECT_THAT(block, ::testing::EndsWith(" ż99\n"));
}

TEST(BlockText, AWordLongerThanALineStaysWhole) {
  const std::string path(200, '/');
  EXPECT_EQ(BlockLine("ledger", path), "ledger    " + path + "\n");
}

}  // namespace
}  // namespace modicum
