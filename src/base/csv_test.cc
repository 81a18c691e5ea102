// SPDX-License-Identifier: Apache-2.0
#include "base/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;

TEST(CsvReader, QuotesLineEndsAndCrLf) {
  CsvReader reader("a,b\r\n\"x, \"\"y\"\"\",\"two\nlines\"\n\nlast,\n");
  EXPECT_THAT(**reader.Next(), ElementsAre("a", "b"));
  EXPECT_THAT(**reader.Next(), ElementsAre("x, \"y\"", "two\nlines"));
  EXPECT_EQ(reader.line(), 2U);
  EXPECT_THAT(**reader.Next(), ElementsAre("last", ""));
  EXPECT_EQ(reader.line(), 5U);
  EXPECT_FALSE(reader.Next()->has_value());
}

TEST(CsvReader, FaultsNameTheLine) {
  CsvReader open("a\n\"never");
  ASSERT_TRUE(open.Next().has_value());
  EXPECT_EQ(open.Next().error().message, "line 2: quote is never closed");
  CsvReader after("\"a\"b\n");
  EXPECT_EQ(after.Next().error().message,
            "line 1: text follows a closing quote");
}

TEST(CsvField, RoundTripsAnyBytes) {
  Rng rng(7);
  for (int round = 0; round < 2000; ++round) {
    std::string field = "x";
    for (uint32_t n = rng.Below(8); n > 0; --n)
      field += "\",\n\r ab#"[rng.Below(8)];
    const std::string line = CsvField(field) + "," + CsvField("z") + "\n";
    CsvReader reader(line);
    EXPECT_THAT(**reader.Next(), ElementsAre(field, "z"));
  }
}

TEST(EmbeddedTable, SkipsCommentsAndReadsNumbers) {
  const EmbeddedTable table("# source: x\nname,watts\na,1.5\nb,\n");
  ASSERT_EQ(table.size(), 2U);
  EXPECT_EQ(table.at(0, "name"), "a");
  EXPECT_EQ(table.number(0, "watts"), 1.5);
  EXPECT_EQ(table.number(1, "watts"), std::nullopt);
}

}  // namespace
}  // namespace modicum
