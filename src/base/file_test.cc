// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

namespace modicum {
namespace {

class FileTest : public ::testing::Test {
 protected:
  FileTest()
      : folder_(
            ::testing::TempDir() + "modicum-file-test-" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
  }
  ~FileTest() override { std::filesystem::remove_all(folder_); }
  size_t Entries() const {
    return static_cast<size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), {}));
  }
  std::string folder_;
};

TEST_F(FileTest, RoundTripsAndCreatesFolders) {
  const std::string path = folder_ + "/a/b/c.txt";
  const std::string content("x\0y\n", 4);
  ASSERT_TRUE(WriteFileAtomically(path, content).has_value());
  EXPECT_EQ(*ReadFile(path), content);
}

TEST_F(FileTest, ReadSaysWhatIsWrong) {
  const auto missing = ReadFile(folder_ + "/none");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  const auto directory = ReadFile(folder_);
  ASSERT_FALSE(directory.has_value());
  EXPECT_EQ(directory.error().message, folder_ + " is a folder, not a file");
}

TEST_F(FileTest, AFailedWriteKeepsTheOldContentAndLeavesNothing) {
  const std::string path = folder_ + "/kept.txt";
  ASSERT_TRUE(WriteFileAtomically(path, "old").has_value());
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  auto* old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit tight = before;
  tight.rlim_cur = 10;
  setrlimit(RLIMIT_FSIZE, &tight);
  const Status status = WriteFileAtomically(path, std::string(1000, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  EXPECT_EQ(*ReadFile(path), "old");
  EXPECT_EQ(Entries(), 1U);
}

TEST_F(FileTest, ADeviceIsWrittenToAndALinkIsKept) {
  namespace fs = std::filesystem;
  const std::string pipe = folder_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_TRUE(WriteFileAtomically(pipe, "text"));
  char got[5] = {};
  EXPECT_EQ(read(reader, got, 4), 4);
  close(reader);
  EXPECT_STREQ(got, "text");
  EXPECT_TRUE(fs::is_fifo(pipe));

  ASSERT_TRUE(WriteFileAtomically(folder_ + "/real", "old"));
  fs::create_symlink("real", folder_ + "/link");
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/link", "new"));
  EXPECT_TRUE(fs::is_symlink(folder_ + "/link"));
  EXPECT_EQ(*ReadFile(folder_ + "/real"), "new");
}

TEST_F(FileTest, AFolderIsMovedInOneStepAndTheOldOneIsLeftToTheCaller) {
  namespace fs = std::filesystem;
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/a/file", "a"));
  ASSERT_TRUE(MoveFolder(folder_ + "/a", folder_ + "/b"));
  EXPECT_EQ(*ReadFile(folder_ + "/b/file"), "a");
  EXPECT_FALSE(fs::exists(folder_ + "/a"));
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/a/file", "newer"));
  ASSERT_TRUE(MoveFolder(folder_ + "/a", folder_ + "/b"));
  EXPECT_EQ(*ReadFile(folder_ + "/b/file"), "newer");
  EXPECT_FALSE(MoveFolder(folder_ + "/none", folder_ + "/b"));
  EXPECT_EQ(*ReadFile(folder_ + "/b/file"), "newer");
}

TEST_F(FileTest, AFileInPartsIsThereOnceItIsCommitted) {
  const std::string path = folder_ + "/parts.txt";
  ASSERT_TRUE(WriteFileAtomically(path, "old").has_value());
  {
    auto file = AtomicFile::Create(path);
    ASSERT_TRUE(file.has_value());
    ASSERT_TRUE(file->Append("one ").has_value());
    AtomicFile moved = *std::move(file);
    ASSERT_TRUE(moved.Append("two").has_value());
    EXPECT_EQ(*ReadFile(path), "old");
    ASSERT_TRUE(moved.Commit().has_value());
    EXPECT_EQ(*ReadFile(path), "one two");
  }
  EXPECT_EQ(*ReadFile(path), "one two");
  EXPECT_EQ(Entries(), 1U);
}

TEST_F(FileTest, AFileInPartsThatIsGivenUpLeavesNothing) {
  {
    auto file = AtomicFile::Create(folder_ + "/parts.txt");
    ASSERT_TRUE(file.has_value());
    ASSERT_TRUE(file->Append("half").has_value());
    EXPECT_EQ(Entries(), 1U);
  }
  EXPECT_EQ(Entries(), 0U);
}

TEST_F(FileTest, AFileInPartsReplacesWhatALinkNamesAndNoDevice) {
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/real", "old").has_value());
  std::filesystem::create_symlink("real", folder_ + "/link");
  auto file = AtomicFile::Create(folder_ + "/link");
  ASSERT_TRUE(file.has_value());
  ASSERT_TRUE(file->Append("new").has_value());
  ASSERT_TRUE(file->Commit().has_value());
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ + "/link"));
  EXPECT_EQ(*ReadFile(folder_ + "/real"), "new");
  const auto device = AtomicFile::Create("/dev/null");
  ASSERT_FALSE(device.has_value());
  EXPECT_EQ(device.error().message,
            "cannot write /dev/null: it is no regular file");
}

TEST_F(FileTest, PartsAreReadInAnyOrder) {
  const std::string path = folder_ + "/parts.txt";
  ASSERT_TRUE(WriteFileAtomically(path, "0123456789").has_value());
  const auto file = RandomAccessFile::Open(path);
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->size(), 10U);
  EXPECT_EQ(*file->Read(7, 3), "789");
  EXPECT_EQ(*file->Read(0, 2), "01");
  EXPECT_EQ(*file->Read(10, 0), "");
  const auto beyond = file->Read(8, 3);
  ASSERT_FALSE(beyond.has_value());
  EXPECT_EQ(beyond.error().code, ErrorCode::kIo);
  EXPECT_EQ(beyond.error().message, path + " became shorter while it was read");
}

TEST_F(FileTest, PartsAreOfRegularFilesOnly) {
  ASSERT_EQ(mkfifo((folder_ + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(RandomAccessFile::Open(folder_ + "/pipe").error().message,
            folder_ + "/pipe is not a regular file");
  EXPECT_EQ(RandomAccessFile::Open(folder_).error().message,
            folder_ + " is a folder, not a file");
  EXPECT_EQ(RandomAccessFile::Open(folder_ + "/none").error().code,
            ErrorCode::kNotFound);
}

}  // namespace
}  // namespace modicum
