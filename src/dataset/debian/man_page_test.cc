// SPDX-License-Identifier: Apache-2.0
#include "dataset/debian/man_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "dataset/utf8.h"

namespace modicum {
namespace {

using testing::ElementsAre;

auto Read(std::string_view page) { return ParagraphsOfManPage(page); }

TEST(ManPage, KeepsRunningTextOnly) {
  EXPECT_THAT(
      Read(".\\\" -*- coding: UTF-8 -*-\n"
           ".TH LS 1 \"september 2022\"\n"
           ".SH NAMN\n"
           "ls \\(em lista kataloginnehåll\n"
           ".SH\n"
           "BESKRIVNING\n"
           "Visa information om\n"
           ".\\\" a comment does not end a paragraph\n"
           "FILerna  (aktuell\tkatalog).\n"
           ".PP\n"
           "Obligatoriska argument.\n"
           ".TP\n"
           "\\fB\\-a\\fP, \\fB\\-\\-all\\fP\n"
           "Bortse inte.\n"
           ".TP\n"
           ".BR \\-b \", \" \\-\\-blocks\n"
           "Skriv block.\n"
           "\n"
           "Efter en blank rad\n"
           " och en indragen.\n"),
      ElementsAre("ls \xE2\x80\x94 lista kataloginneh\xC3\xA5ll",
                  "Visa information om FILerna (aktuell katalog).",
                  "Obligatoriska argument.", "Bortse inte.", "Skriv block.",
                  "Efter en blank rad", "och en indragen."));
}

TEST(ManPage, StyledWordsAreOfTheText) {
  EXPECT_THAT(Read("see\n.BR ls (1),\n.B \"two words\"\n.I a b\n.RB [ x ]\n"),
              ElementsAre("see ls(1), two words a b [x]"));
  // A style without arguments is of the next line.
  EXPECT_THAT(Read("one\n.B\ntwo\n"), ElementsAre("one two"));
  // A link's address is no text, what it is called is.
  EXPECT_THAT(Read("at\n.UR http://x.org\nthe site\n.UE .\n"),
              ElementsAre("at the site"));
}

TEST(ManPage, BlocksAreLeftOut) {
  for (const char* block :
       {".nf\ncode\n.fi\n", ".EX\ncode\n.PP\ncode\n.EE\n", ".TS\ncell\n.TE\n",
        ".de X\ncode\n..\n", ".ig\ncode\n..\n", "'nf\ncode\n'fi\n"})
    EXPECT_THAT(Read("one\n" + std::string(block) + "two\n"),
                ElementsAre("one", "two"))
        << block;
  EXPECT_THAT(Read("one\n.nf\nnever closed\n"), ElementsAre("one"));
}

TEST(ManPage, EscapesAreResolved) {
  const std::pair<const char*, const char*> escapes[] = {
      {"a\\-b\\(enc",
       "a-b\xE2\x80\x93"
       "c"},
      {"\\fBa\\f(CWb\\f[I]c\\fR", "abc"},
      {"\\*(lqa\\*x\\*[yy]b", "ab"},
      {"\\(aqa\\[aq]\\[u0142]\\[nosuch]", "'a'\xC5\x82"},
      {"a\\[u000A]b\\[u0009]", "a b"},
      {"a\\ b\\~c\\&d\\|e\\,f\\/g", "a b cdefg"},
      {"\\s+2a\\s0\\s-1b\\s[9]c", "abc"},
      {"x\\h'1m'y\\w\"zz\"z", "xyz"},
      {"C:\\\\dir\\e", "C:\\dir\\"},
      {"a \\\" a comment", "a"},
      {"\\\xC3\xA9t\xC3\xA9", "\xC3\xA9t\xC3\xA9"},
      {"cut at the end \\", "cut at the end"},
      {"cut at the end \\(", "cut at the end"},
      {"cut at the end \\[x", "cut at the end"},
      {"cut at the end \\h'", "cut at the end"}};
  for (const auto& [line, text] : escapes)
    EXPECT_THAT(Read(line), ElementsAre(text)) << line;
}

TEST(ManPage, OtherMacrosAndCharsetsAreNotRead) {
  EXPECT_THAT(Read(".Dd May 1\n.Sh NAME\ntext\n"), ElementsAre());
  EXPECT_THAT(Read("latin-1 \xE9\n"), ElementsAre());
  EXPECT_THAT(Read(""), ElementsAre());
}

// Whatever the bytes, what comes out is single-spaced UTF-8.
TEST(ManPage, AnyPageIsReadAsFarAsItGoes) {
  constexpr std::string_view kParts[] = {
      ".",  "'",  "\n", "\\", "f",  "(",    "[",        "]",
      "\"", " ",  "x",  "TP", "nf", "B",    "\xC3\xA9", "\\\"",
      "\t", "SH", "s",  "h'", "TS", "u20AC"};
  Rng rng(3);
  for (int round = 0; round < 2000; ++round) {
    std::string page;
    for (uint32_t n = rng.Below(60); n > 0; --n)
      page += kParts[rng.Below(std::size(kParts))];
    for (const std::string& text : Read(page)) {
      EXPECT_FALSE(text.empty());
      EXPECT_EQ(FirstBadByte(text), std::string::npos) << page;
      EXPECT_EQ(text.find("  "), std::string::npos) << page;
    }
  }
}

}  // namespace
}  // namespace modicum
