// SPDX-License-Identifier: Apache-2.0
#include "dataset/utf8.h"

#include <gtest/gtest.h>

namespace modicum {
namespace {

constexpr size_t kNone = std::string_view::npos;

TEST(Utf8, AcceptsTheEndsOfEveryRange) {
  for (const std::string_view text :
       {"", "plain ascii, longer than eight bytes", "\x7F", "\xC2\x80",
        "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_EQ(FirstBadByte(text), kNone) << text;
}

TEST(Utf8, FindsOverlongSurrogateOutOfRangeAndCutForms) {
  for (const std::string_view bad :
       {"\x80", "\xBF", "\xC0\xAF", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",
        "\xE2\x82", "\xC3"}) {
    const std::string text = "eight or more " + std::string(bad);
    EXPECT_EQ(FirstBadByte(text), 14U) << bad;
  }
}

// The example of the Unicode standard, 3.9, table 3-8 (U+FFFD per maximal
// subpart): 61 F1 80 80 E1 80 C2 62 80 63 80 BF 64.
TEST(Utf8, ReplacesMaximalPartsAsTheStandardShows) {
  const std::string bad =
      "\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64";
  const std::string r(kReplacementCharacter);
  EXPECT_EQ(ReplaceUnusableBytes(bad),
            "a" + r + r + r + "b" + r + "c" + r + r + "d");
}

TEST(Utf8, NulIsValidButUnusable) {
  const std::string_view text("a\0b", 3);
  EXPECT_EQ(FirstBadByte(text), kNone);
  EXPECT_EQ(FirstUnusableByte(text), 1U);
  EXPECT_EQ(ReplaceUnusableBytes(text),
            "a\xEF\xBF\xBD"
            "b");
}

TEST(Utf8, CutKeepsCharactersWhole) {
  EXPECT_EQ(CutUtf8("a\xC3\xA9z", 2), "a");
  EXPECT_EQ(CutUtf8("a\xC3\xA9z", 3), "a\xC3\xA9");
  EXPECT_EQ(CutUtf8("abc", 9), "abc");
}

}  // namespace
}  // namespace modicum
