// SPDX-License-Identifier: Apache-2.0
#include "probe/kept_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/fault_fs.h"

namespace modicum {
namespace {

class KeptFileTest : public ::testing::Test {
 protected:
  KeptFileTest() {
    std::string name = "/tmp/modicum-kept-XXXXXX";
    MODICUM_CHECK(mkdtemp(name.data()) != nullptr);
    root_ = name;
  }
  ~KeptFileTest() override { std::filesystem::remove_all(root_); }
  void Write(const std::string& text) const {
    std::ofstream(root_ + "/stat") << text;
  }
  std::string ReadFrom(KeptFile& file) {
    const Status read = file.ReadInto(buffer_);
    return read ? buffer_ : "error: " + read.error().message;
  }
  std::string root_;
  std::string buffer_;
};

TEST_F(KeptFileTest, EveryReadGivesTheFileAsItIsNow) {
  const RootFs fs(root_);
  KeptFile file(fs, "/stat");
  for (const size_t size : {3U, 0U, 4095U, 4096U, 4097U, 100'000U, 12U}) {
    const std::string text(size, static_cast<char>('a' + size % 26));
    Write(text);
    EXPECT_EQ(ReadFrom(file), text);
  }
}

TEST_F(KeptFileTest, AWordIsReadFromTheFileThatIsOpen) {
  const RootFs fs(root_);
  KeptFile file(fs, "/stat");
  EXPECT_FALSE(file.ReadWord(0));
  Write("12345678abcdefgh");
  EXPECT_EQ(*file.ReadWord(8), *fs.ReadWord("/stat", 8));
  EXPECT_FALSE(file.ReadWord(9));
  // Who gave up his privileges meanwhile could not open it again.
  EXPECT_TRUE(file.ReadWord(0));
  std::filesystem::remove(root_ + "/stat");
  EXPECT_TRUE(file.ReadWord(0));
}

TEST_F(KeptFileTest, AMissingFileIsTheFileSystemsError) {
  const RootFs fs(root_);
  KeptFile file(fs, "/stat");
  EXPECT_EQ(ReadFrom(file),
            "error: cannot read /stat: No such file or directory");
  Write("came");
  EXPECT_EQ(ReadFrom(file), "came");
}

TEST_F(KeptFileTest, AMovedFileIsStillTheSame) {
  const RootFs fs(root_);
  Write("here");
  KeptFile file(fs, "/stat");
  EXPECT_EQ(ReadFrom(file), "here");
  KeptFile moved(std::move(file));
  EXPECT_EQ(ReadFrom(moved), "here");
}

// A file system that decides what a read gives is asked each time.
TEST_F(KeptFileTest, FaultsAreSeen) {
  const FaultFs fs(root_, 2, ErrorCode::kIo);
  Write("text");
  KeptFile file(fs, "/stat");
  EXPECT_EQ(ReadFrom(file), "text");
  EXPECT_EQ(ReadFrom(file), "error: cannot read /stat: injected fault");
  EXPECT_EQ(ReadFrom(file), "text");
}

TEST_F(KeptFileTest, APidThatEndedIsNotRead) {
  const pid_t child = fork();
  if (child == 0) pause();
  const RootFs fs;
  KeptFile file(fs, "/proc/" + std::to_string(child) + "/stat");
  EXPECT_EQ(ReadFrom(file).substr(0, 2), std::to_string(child).substr(0, 2));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(ReadFrom(file).substr(0, 6), "error:");
}

}  // namespace
}  // namespace modicum
