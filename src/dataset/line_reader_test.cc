// SPDX-License-Identifier: Apache-2.0
#include "dataset/line_reader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "dataset/temp_folder.h"

namespace modicum {
namespace {

using testing::ElementsAre;

std::vector<std::string> Lines(std::string_view content) {
  const TempFolder folder;
  auto reader = LineReader::Open(folder.Write("f", content));
  std::vector<std::string> lines;
  while (true) {
    const auto line = reader->Next();
    if (!line || !*line) return lines;
    lines.emplace_back(**line);
  }
}

TEST(LineReader, LineEndsAndByteOrderMark) {
  EXPECT_THAT(Lines(""), ElementsAre());
  EXPECT_THAT(Lines("a"), ElementsAre("a"));
  EXPECT_THAT(Lines("a\n"), ElementsAre("a"));
  EXPECT_THAT(Lines("\xEF\xBB\xBF"
                    "a\r\n\r\nb\rc"),
              ElementsAre("a", "", "b\rc"));
  EXPECT_THAT(Lines("a\n\xEF\xBB\xBF"
                    "b"),
              ElementsAre("a",
                          "\xEF\xBB\xBF"
                          "b"));
}

TEST(LineReader, LinesOfEveryLengthAcrossBlocks) {
  std::string content;
  std::vector<std::string> expected;
  for (size_t length = 0; length < 3000; length += 7) {
    expected.emplace_back(length, static_cast<char>('a' + length % 26));
    content += expected.back() + "\n";
  }
  expected.emplace_back(700000, 'z');  // more than two blocks
  content += expected.back();
  EXPECT_EQ(Lines(content), expected);
}

TEST(LineReader, HashIsOfEveryByte) {
  const TempFolder folder;
  const std::string content =
      "\xEF\xBB\xBF"
      "a\r\nb";
  auto reader = LineReader::Open(folder.Write("f", content));
  Sha256 hash;
  reader->HashInto(&hash);
  while (*reader->Next()) {
  }
  EXPECT_EQ(hash.Finish(), Sha256Of(content));
}

// A file of 1 GB without a line end (sparse: it takes no space) is given up
// on soon after the limit.
TEST(LineReader, RefusesAnEndlessLineWithoutReadingItWhole) {
  const TempFolder folder;
  const std::string path = folder.Write("f", "short\n");
  std::filesystem::resize_file(path, size_t{1} << 30);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  LineReader reader(fd, "f", 1000);
  ASSERT_TRUE(reader.Next().has_value());
  const auto line = reader.Next();
  ASSERT_FALSE(line.has_value());
  EXPECT_EQ(line.error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(line.error().message, "f:2: the line is longer than 1000 bytes");
  EXPECT_LT(lseek(fd, 0, SEEK_CUR), off_t{1} << 21);
  close(fd);
}

TEST(LineReader, NamesWhatCannotBeRead) {
  const TempFolder folder;
  const auto missing = LineReader::Open(folder.path() + "/no");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().message,
            "cannot read " + folder.path() + "/no: No such file or directory");
  const auto directory = LineReader::Open(folder.path());
  ASSERT_FALSE(directory.has_value());
  EXPECT_EQ(directory.error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(directory.error().message,
            "cannot read " + folder.path() + ": it is a directory");
}

TEST(LineReader, AFailedReadIsAnErrorNotAnEnd) {
  const TempFolder folder;
  const std::string path = folder.Write("f", "a\n");
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  LineReader reader(fd, "f");
  const auto line = reader.Next();
  ASSERT_FALSE(line.has_value());
  EXPECT_EQ(line.error().code, ErrorCode::kIo);
  EXPECT_EQ(line.error().message, "cannot read f: Bad file descriptor");
  close(fd);
}

}  // namespace
}  // namespace modicum
