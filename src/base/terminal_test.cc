// SPDX-License-Identifier: Apache-2.0
#include "base/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <thread>

#include "base/fake_clock.h"

namespace modicum {
namespace {

// Sets or unsets variables for one test and puts the old ones back.
class Environment {
 public:
  ~Environment() {
    for (const auto& [name, value] : before_)
      value ? setenv(name.c_str(), value->c_str(), 1) : unsetenv(name.c_str());
  }
  Environment& Set(const std::string& name, const char* value) {
    const char* old = std::getenv(name.c_str());
    before_.emplace_back(name,
                         old ? std::optional<std::string>(old) : std::nullopt);
    value ? setenv(name.c_str(), value, 1) : unsetenv(name.c_str());
    return *this;
  }

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

// A terminal of 40 columns, with everything written to it.
class Pty {
 public:
  Pty() {
    winsize size{};
    size.ws_row = 24;
    size.ws_col = 40;
    int slave = -1;
    EXPECT_EQ(openpty(&master_, &slave, nullptr, nullptr, &size), 0);
    fcntl(master_, F_SETFL, O_NONBLOCK);
    file_ = fdopen(slave, "w");
  }
  ~Pty() {
    if (file_ != nullptr) std::fclose(file_);
    if (master_ >= 0) close(master_);
  }
  std::FILE* file() { return file_; }
  // What was written since the last call.
  std::string Output() {
    std::fflush(file_);
    std::string text;
    char block[4096];
    for (ssize_t n; (n = read(master_, block, sizeof block)) > 0;)
      text.append(block, static_cast<size_t>(n));
    return text;
  }
  void HangUp() {
    close(master_);
    master_ = -1;
  }

 private:
  int master_ = -1;
  std::FILE* file_ = nullptr;
};

// A file that is no terminal.
class PlainFile {
 public:
  ~PlainFile() { std::fclose(file_); }
  std::FILE* file() { return file_; }
  std::string Output() {
    std::fflush(file_);
    std::rewind(file_);
    char block[4096];
    return {block, std::fread(block, 1, sizeof block, file_)};
  }

 private:
  std::FILE* file_ = std::tmpfile();
};

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(DisplayWidth(""), 0U);
  EXPECT_EQ(DisplayWidth("abc"), 3U);
  EXPECT_EQ(DisplayWidth("x/÷ 2.4"), 7U);
  EXPECT_EQ(DisplayWidth("e\u0301te\u0301"), 3U);        // combining accents
  EXPECT_EQ(DisplayWidth("日本語"), 6U);                 // wide
  EXPECT_EQ(DisplayWidth("한국"), 4U);                   // Hangul syllables
  EXPECT_EQ(DisplayWidth("ｱﾊﾟ"), 3U);                    // half width
  EXPECT_EQ(DisplayWidth("🌍"), 2U);                      // emoji
  EXPECT_EQ(DisplayWidth("a\u200Bb\uFEFF"), 2U);         // zero width
  EXPECT_EQ(DisplayWidth("\x1b[1;32mgood\x1b[0m"), 4U);  // colour
  EXPECT_EQ(DisplayWidth("Привет"), 6U);
}

TEST(DisplayWidth, BrokenUtf8CountsByteByByte) {
  EXPECT_EQ(DisplayWidth("\xff\xfe"), 2U);
  EXPECT_EQ(DisplayWidth("\xe6\x97"), 2U);  // cut off
  EXPECT_EQ(DisplayWidth("\xc3("), 2U);     // no continuation
  EXPECT_EQ(DisplayWidth("\x80x"), 2U);     // continuation alone
  EXPECT_EQ(DisplayWidth("\x1b[12"), 4U);   // no colour sequence
}

Table Models() {
  Table table({{"model", Align::kLeft}, {"J", Align::kRight}});
  table.AddRow({"majority", "0.02"});
  table.AddRow({"日本", "12,000"});
  return table;
}

TEST(Table, AlignsAndLeavesNoTrailingSpace) {
  EXPECT_EQ(Models().Text(),
            "model          J\n"
            "majority    0.02\n"
            "日本      12,000\n");
  Table notes({{"name", Align::kLeft}, {"note", Align::kLeft}});
  notes.AddRow({"a", "long note"});
  notes.AddRow({"b", ""});
  EXPECT_EQ(notes.Text("  "),
            "  name  note\n"
            "  a     long note\n"
            "  b\n");
}

TEST(Table, EmptyPrintsNothing) {
  const Table table({{"a", Align::kLeft}});
  EXPECT_EQ(table.Text(), "");
  EXPECT_EQ(table.Markdown(), "");
  EXPECT_EQ(table.Csv(), "");
}

TEST(Table, CellsCannotMoveTheCursor) {
  Table table({{"a", Align::kLeft}, {"b", Align::kLeft}});
  table.AddRow({"two\nlines\r\x1b[2J", "\x1b[31mred\x1b[0m"});
  EXPECT_EQ(table.Text(),
            "a               b\n"
            "two lines  [2J  \x1b[31mred\x1b[0m\n");
}

TEST(Table, MarkdownEscapesBars) {
  Table table({{"a|b", Align::kLeft}, {"n", Align::kRight}});
  table.AddRow({"x | y\nz", "1"});
  EXPECT_EQ(table.Markdown(),
            "| a\\|b | n |\n"
            "| --- | ---: |\n"
            "| x \\| y z | 1 |\n");
}

TEST(Table, CsvQuotesWhatItMust) {
  Table table({{"name", Align::kLeft}, {"J per 1,000", Align::kRight}});
  table.AddRow({"say \"hi\"", "12,000"});
  table.AddRow({"two\nlines", ""});
  EXPECT_EQ(table.Csv(),
            "name,\"J per 1,000\"\n"
            "\"say \"\"hi\"\"\",\"12,000\"\n"
            "\"two\nlines\",\n");
}

TEST(TableDeathTest, RefusesARowOfAnotherWidth) {
  Table table({{"a", Align::kLeft}});
  EXPECT_DEATH(table.AddRow({"1", "2"}), "cells.size\\(\\)");
}

TEST(UseColour, FollowsTerminalAndVariables) {
  Environment environment;
  environment.Set("TERM", "xterm").Set("NO_COLOR", nullptr);
  environment.Set("FORCE_COLOR", nullptr);
  Pty pty;
  PlainFile plain;
  EXPECT_TRUE(IsTerminal(pty.file()));
  EXPECT_FALSE(IsTerminal(plain.file()));
  EXPECT_TRUE(UseColour(pty.file()));
  EXPECT_FALSE(UseColour(plain.file()));

  environment.Set("TERM", "dumb");
  EXPECT_FALSE(UseColour(pty.file()));
  environment.Set("TERM", "xterm").Set("NO_COLOR", "1");
  EXPECT_FALSE(UseColour(pty.file()));
  environment.Set("NO_COLOR", "");  // no-color.org: empty does not count
  EXPECT_TRUE(UseColour(pty.file()));
  environment.Set("NO_COLOR", "1").Set("FORCE_COLOR", "1");
  EXPECT_TRUE(UseColour(plain.file()));
  environment.Set("NO_COLOR", nullptr).Set("FORCE_COLOR", "0");
  EXPECT_FALSE(UseColour(pty.file()));
}

class ProgressTest : public ::testing::Test {
 protected:
  ProgressTest() { environment_.Set("TERM", "xterm"); }
  Environment environment_;
  FakeClock clock_;
};

TEST_F(ProgressTest, ShowsRateAndTimeLeft) {
  Pty pty;
  Progress progress(pty.file(), "fit", 12, clock_);
  EXPECT_EQ(pty.Output(), "");
  clock_.Tick(Seconds(2));
  progress.Update(8, "linear");
  EXPECT_EQ(pty.Output(), "\r  fit  8/12  linear   4.0/s  ETA 1.0 s\x1b[K");
  clock_.Tick(Seconds(1));
  progress.Update(12);
  EXPECT_EQ(pty.Output(), "\r  fit  12/12   4.0/s\x1b[K");
}

TEST_F(ProgressTest, RedrawsAtMostTenTimesASecond) {
  Pty pty;
  Progress progress(pty.file(), "fit", 1000, clock_);
  size_t drawn = 0;
  for (uint64_t i = 0; i < 100; ++i) {  // a second of updates
    progress.Update(i);
    drawn += pty.Output().empty() ? 0 : 1;
    clock_.Tick(Seconds(0.01));
  }
  EXPECT_GE(drawn, 9U);
  EXPECT_LE(drawn, 10U);
}

TEST_F(ProgressTest, UnknownTotalHasNoTimeLeft) {
  Pty pty;
  Progress progress(pty.file(), "read", 0, clock_);
  progress.Update(0);
  EXPECT_EQ(pty.Output(), "\r  read  0\x1b[K");
  clock_.Tick(Seconds(1));
  progress.Update(5);
  EXPECT_EQ(pty.Output(), "\r  read  5   5.0/s\x1b[K");
}

TEST_F(ProgressTest, NeverWrapsAndNeverBreaksOut) {
  Pty pty;
  Progress progress(pty.file(), "fit", 2, clock_);
  progress.Update(1, "日本語日本語日本語日本語日本語日本語日本語");
  const std::string line = pty.Output();
  EXPECT_LE(DisplayWidth(line.substr(1, line.size() - 4)), 39U);
  clock_.Tick(Seconds(1));
  progress.Update(0, "a\nb\x1b[2J");
  EXPECT_EQ(pty.Output(), "\r  fit  0/2  a b [2J\x1b[K");
}

TEST_F(ProgressTest, LinesGoAboveAndTheEndClears) {
  Pty pty;
  {
    Progress progress(pty.file(), "fit", 2, clock_);
    progress.Line("before");
    EXPECT_EQ(pty.Output(), "before\r\n");  // the terminal adds the \r
    progress.Update(0);
    pty.Output();
    progress.Line("note");
    EXPECT_EQ(pty.Output(), "\r\x1b[Knote\r\n\r  fit  0/2\x1b[K");
  }
  EXPECT_EQ(pty.Output(), "\r\x1b[K");
}

TEST_F(ProgressTest, SilentOnAFileAndADumbTerminalButForLines) {
  PlainFile plain;
  {
    Progress progress(plain.file(), "fit", 2, clock_);
    progress.Update(1, "x");
    progress.Line("note");
  }
  EXPECT_EQ(plain.Output(), "note\n");
  environment_.Set("TERM", "dumb");
  Pty pty;
  {
    Progress progress(pty.file(), "fit", 2, clock_);
    progress.Update(1, "x");
  }
  EXPECT_EQ(pty.Output(), "");
}

TEST_F(ProgressTest, SurvivesATerminalThatGoesAway) {
  Pty pty;
  Progress progress(pty.file(), "fit", 2, clock_);
  pty.HangUp();
  progress.Update(1);
  progress.Line("note");
  EXPECT_NE(std::ferror(pty.file()), 0);
}

TEST_F(ProgressTest, ThreadsMayUpdateAtOnce) {
  Pty pty;
  Progress progress(pty.file(), "fit", 80, clock_);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (uint64_t i = 0; i < 20; ++i) {
        progress.Update(i, "x");
        if (i % 10 == 0) progress.Line("line");
        clock_.Tick(Seconds(0.05));
      }
    });
  for (std::thread& thread : threads) thread.join();
  const std::string output = pty.Output();
  size_t lines = 0;
  for (size_t at = 0; (at = output.find("line\r\n", at)) != std::string::npos;
       ++at)
    ++lines;
  EXPECT_EQ(lines, 8U);
}

}  // namespace
}  // namespace modicum
