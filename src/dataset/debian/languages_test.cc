// SPDX-License-Identifier: Apache-2.0
#include "dataset/debian/languages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"
#include "dataset/temp_folder.h"

namespace modicum {
namespace {

using testing::ElementsAre;

const std::string kGerman =
    "Diese Seite beschreibt, wie die Datei gelesen wird.";
const std::string kEnglish = "This page describes how the file is being read.";
const std::string kItalian = "Questa pagina descrive come viene letto il file.";

std::vector<std::string> TextsOf(const std::vector<Paragraph>& paragraphs) {
  std::vector<std::string> texts;
  for (const Paragraph& p : paragraphs) texts.push_back(p.text);
  return texts;
}

TEST(IsRunningText, CountsCharactersNotBytes) {
  const auto words = [](size_t characters) {
    std::string text;
    for (size_t i = 0; i < characters; ++i)
      text += i % 5 == 4 ? " " : "\xC3\xA9";
    return text;
  };
  EXPECT_FALSE(IsRunningText(words(39)));
  EXPECT_TRUE(IsRunningText(words(40)));
  EXPECT_TRUE(IsRunningText(words(400)));
  EXPECT_FALSE(IsRunningText(words(401)));
}

TEST(IsRunningText, NeedsWordsOfLetters) {
  EXPECT_TRUE(IsRunningText(kGerman));
  EXPECT_FALSE(IsRunningText("/usr/share/doc/manpages/examples/program.conf"));
  EXPECT_FALSE(IsRunningText("0x00 0x01 0x02 0x03 0x04 0x05 = 1 (2) [3] {4}"));
  EXPECT_FALSE(IsRunningText(kGerman + " <https://example.org/de>"));
  EXPECT_FALSE(IsRunningText("oder lokal mit: info '(coreutils) ls aufrufen'"));
}

TEST(ChooseParagraphs, LeavesOutWhatIsNotOfTheLanguage) {
  const auto chosen = ChooseParagraphs(
      {{kGerman, "de", "b.1", 4},
       {kItalian, "it", "a.1", 0},
       {kEnglish, "it", "a.1", 1},  // nobody translated it
       {kEnglish + " Again and again.", "de", "a.1", 1},  // nor this
       {kEnglish, "en", "a.1", 0},
       {kGerman, "de", "a.1", 2},
       {"zu kurz", "de", "a.1", 3}},
      10);
  EXPECT_THAT(TextsOf(chosen), ElementsAre(kGerman, kItalian));
  EXPECT_EQ(chosen[0].page, "a.1");
  EXPECT_EQ(chosen[0].number, 2U);
}

TEST(ChooseParagraphs, TheSameOnesWhateverTheOrder) {
  std::vector<Paragraph> all;
  for (size_t i = 0; i < 50; ++i)
    all.push_back({kGerman + " Nummer " + std::to_string(i), "de",
                   "p" + std::to_string(i % 7) + ".1", i});
  const auto chosen = ChooseParagraphs(all, 9);
  EXPECT_EQ(chosen.size(), 9U);
  Rng(5).Shuffle(all);
  EXPECT_EQ(TextsOf(ChooseParagraphs(all, 9)), TextsOf(chosen));
  // More of them are a superset.
  const auto more = TextsOf(ChooseParagraphs(all, 20));
  for (const Paragraph& p : chosen)
    EXPECT_EQ(std::count(more.begin(), more.end(), p.text), 1);
}

TEST(ReadLanguages, TakesTheLanguageFromTheFolder) {
  const TempFolder folder;
  const std::string text = " Ein Satz mehr, damit es verschieden ist.";
  folder.Write("usr/share/man/de/man1/a.1", kGerman + "\n");
  folder.Write("usr/share/man/pt_BR/man5/b.5", kItalian + "\n");
  folder.Write("usr/share/man/man7/c.7", kEnglish + "\n");
  folder.Write("usr/share/doc/man1/d.1", kGerman + text + "\n");
  std::filesystem::create_symlink("a.1",
                                  folder.path() + "/usr/share/man/de/man1/z.1");
  size_t asked = 0;
  const auto read =
      ReadLanguages(folder.path(), [&](size_t page, size_t pages) -> Status {
        EXPECT_EQ(page, asked++);
        EXPECT_EQ(pages, 3U);
        return {};
      });
  ASSERT_TRUE(read.has_value()) << read.error().message;
  ASSERT_EQ(read->size(), 3U);
  EXPECT_EQ((*read)[0].language, "de");
  EXPECT_EQ((*read)[1].language, "en");
  EXPECT_EQ((*read)[2].language, "pt");
  EXPECT_EQ((*read)[2].page, "b.5");
}

TEST(ReadLanguages, EndsWhenAskedTo) {
  const TempFolder folder;
  folder.Write("man/de/man1/a.1", kGerman + "\n");
  const auto read = ReadLanguages(folder.path(), [](size_t, size_t) -> Status {
    return Fail(ErrorCode::kInterrupted, "stop");
  });
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, ErrorCode::kInterrupted);
  EXPECT_FALSE(ReadLanguages(folder.path() + "/none", [](size_t, size_t) {
                 return Status();
               }).has_value());
}

}  // namespace
}  // namespace modicum
