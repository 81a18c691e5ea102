// SPDX-License-Identifier: Apache-2.0
#include "meter/output_tap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "meter/child.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

std::vector<std::string> Cut(const std::vector<std::string_view>& pieces) {
  std::vector<std::string> lines;
  const auto keep = [&lines](std::string_view line) {
    lines.emplace_back(line);
  };
  LineCutter cutter;
  for (const std::string_view piece : pieces) cutter.Add(piece, keep);
  cutter.Finish(keep);
  return lines;
}

TEST(LineCutter, CutsWhereverThePiecesEnd) {
  EXPECT_THAT(Cut({"a\nbc", "d\r", "\n\ne"}), ElementsAre("a", "bcd", "e"));
  EXPECT_THAT(Cut({}), ElementsAre());
}

TEST(LineCutter, ALineHasALimit) {
  const std::string longer(LineCutter::kLongest + 10, 'x');
  const auto lines = Cut({longer, longer, "\nnext\n"});
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].size(), LineCutter::kLongest);
  EXPECT_EQ(lines[1], "next");
}

std::vector<std::string> LinesOf(const std::string& script) {
  std::vector<std::string> lines;
  auto tap = OutputTap::Open(
      [&lines](std::string_view line) { lines.emplace_back(line); });
  EXPECT_TRUE(tap);
  auto child = Child::Start({"sh", "-c", script},
                            {(*tap)->child_stdout(), (*tap)->child_stderr()});
  EXPECT_TRUE(child);
  (*tap)->CloseWriteEnds();
  (*child)->Wait();
  (*tap)->Finish();
  return lines;
}

TEST(OutputTap, ReadsBothStreams) {
  EXPECT_THAT(LinesOf("echo out; echo err >&2; printf end"),
              UnorderedElementsAre("out", "err", "end"));
}

TEST(OutputTap, NothingIsLostHoweverMuch) {
  const auto lines = LinesOf("seq 1 20000");
  ASSERT_EQ(lines.size(), 20000u);
  EXPECT_EQ(lines.back(), "20000");
}

TEST(OutputTap, DoesNotWaitForAProcessThatStays) {
  EXPECT_THAT(LinesOf("sleep 5 & echo $! > /dev/null; echo done"),
              ElementsAre("done"));
}

}  // namespace
}  // namespace modicum
