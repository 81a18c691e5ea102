// SPDX-License-Identifier: Apache-2.0
// A tiny package stands in for the real one; `cp` stands in for npm.
#include "dataset/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stop_token>

#include "base/file.h"
#include "base/hash.h"
#include "dataset/dataset.h"
#include "dataset/subprocess.h"
#include "dataset/temp_folder.h"

namespace modicum {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class GetDataTest : public testing::Test {
 protected:
  GetDataTest() {
    source_.Write("package/data/spam-1/00001.ab.txt",
                  "Subject: Buy\nX-Spam: yes\n\nnow \xE9\n");
    source_.Write("package/data/easy-ham-1/00001.cd.txt",
                  "Subject: \"Hi\"\n\nthere\n");
    source_.Write("package/data/easy-ham-1/00002.ef.txt", "\nno subject\n");
    source_.Write("package/data/file_list.json", "{}");
    const auto packed =
        RunProcess({"tar", "-czf", "mails.tgz", "package"}, source_.path(), {});
    EXPECT_TRUE(packed && packed->exit_code == 0);
    sha256_ = ToHex(*Sha256OfFile(source_.path() + "/mails.tgz"));
    // cp mails.tgz <package>: the package's name is the archive's.
    options_.pack_command = {"cp", source_.path() + "/mails.tgz"};
    options_.progress = [this](std::string_view step) {
      steps_.emplace_back(step);
    };
  }

  CatalogEntry Entry() const {
    return {.name = "tiny",
            .summary = "three mails",
            .packages = "archive.tgz",
            .archive = "archive.tgz",
            .sha256 = sha256_,
            .licence = "CC0",
            .origin = "a test",
            .file = "mails.jsonl",
            .items = 3};
  }
  Result<std::string> Get() { return GetData(Entry(), dir_.path(), options_); }
  std::vector<std::string> FilesLeft() const {
    std::vector<std::string> names;
    if (!fs::exists(dir_.path() + "/tiny")) return names;
    for (const auto& entry : fs::directory_iterator(dir_.path() + "/tiny"))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  TempFolder source_, dir_;
  std::string sha256_;
  GetDataOptions options_;
  std::vector<std::string> steps_;
};

TEST_F(GetDataTest, MakesTheFileItsSourceAndNothingElse) {
  const auto path = Get();
  ASSERT_TRUE(path.has_value()) << path.error().message;
  EXPECT_EQ(*path, dir_.path() + "/tiny/mails.jsonl");
  EXPECT_EQ(*ReadFile(*path),
            "{\"text\":\"\\\"Hi\\\"\\nthere\",\"label\":\"ham\","
            "\"group\":\"easy-ham-1\",\"id\":\"00001.cd\"}\n"
            "{\"text\":\"\\nno subject\",\"label\":\"ham\","
            "\"group\":\"easy-ham-1\",\"id\":\"00002.ef\"}\n"
            "{\"text\":\"Buy\\nnow \xC3\xA9\",\"label\":\"spam\","
            "\"group\":\"spam-1\",\"id\":\"00001.ab\"}\n");
  EXPECT_THAT(FilesLeft(),
              ElementsAre(".lock", "SOURCE.txt", "mails.jsonl", "stamp"));
  EXPECT_THAT(*ReadFile(dir_.path() + "/tiny/SOURCE.txt"), HasSubstr(sha256_));
  EXPECT_THAT(steps_, ElementsAre("downloading archive.tgz", "unpacking",
                                  "reading 0 of 3 mails"));
  EXPECT_THAT(LoadDataset(*path, {})->labels, ElementsAre("ham", "spam"));
}

TEST_F(GetDataTest, ASecondCallDoesNothing) {
  ASSERT_TRUE(Get().has_value());
  steps_.clear();
  options_.pack_command = {"false"};
  EXPECT_TRUE(Get().has_value());
  EXPECT_THAT(steps_, ElementsAre());
}

TEST_F(GetDataTest, AnAlteredFileIsMadeAgain) {
  const std::string path = *Get();
  const std::string whole = *ReadFile(path);
  dir_.Write("tiny/mails.jsonl", whole.substr(0, 20));
  ASSERT_TRUE(Get().has_value());
  EXPECT_EQ(*ReadFile(path), whole);
}

TEST_F(GetDataTest, AnArchivePutThereByHandIsUsedAndKept) {
  fs::create_directories(dir_.path() + "/tiny");
  fs::copy(source_.path() + "/mails.tgz", dir_.path() + "/tiny/archive.tgz");
  options_.pack_command = {"false"};
  const auto path = Get();
  ASSERT_TRUE(path.has_value()) << path.error().message;
  EXPECT_TRUE(fs::exists(dir_.path() + "/tiny/archive.tgz"));
}

TEST_F(GetDataTest, AWrongHashIsRefusedAndLeavesNothing) {
  sha256_ = std::string(64, '0');
  const auto path = Get();
  ASSERT_FALSE(path.has_value());
  EXPECT_EQ(path.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(path.error().message, HasSubstr("is not the expected file"));
  EXPECT_THAT(FilesLeft(), ElementsAre(".lock"));
}

TEST_F(GetDataTest, ATruncatedArchiveFailsInTar) {
  const std::string whole = *ReadFile(source_.path() + "/mails.tgz");
  source_.Write("mails.tgz", whole.substr(0, whole.size() / 2));
  sha256_ = ToHex(*Sha256OfFile(source_.path() + "/mails.tgz"));
  const auto path = Get();
  ASSERT_FALSE(path.has_value());
  EXPECT_THAT(path.error().message, HasSubstr("tar cannot unpack"));
  EXPECT_THAT(FilesLeft(), ElementsAre(".lock"));
}

TEST_F(GetDataTest, SaysWhatToDoWithoutNpmOrNetwork) {
  options_.pack_command = {"no-such-npm", "pack"};
  const auto missing = Get();
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(missing.error().message,
            "cannot run no-such-npm: it is not installed");
  EXPECT_EQ(missing.error().hint,
            "install npm (Debian: apt install npm), or put archive.tgz into " +
                dir_.path() + "/tiny");
  options_.pack_command = {"cp", "/nonexistent"};
  const auto offline = Get();
  ASSERT_FALSE(offline.has_value());
  EXPECT_EQ(offline.error().code, ErrorCode::kRetry);
  EXPECT_THAT(offline.error().message,
              StartsWith("cp could not get archive.tgz (exit code 1): cp: "));
  EXPECT_THAT(FilesLeft(), ElementsAre(".lock"));
}

TEST_F(GetDataTest, StopsBetweenMailsAndInTheDownload) {
  const auto stop = std::make_unique<std::stop_source>();
  options_.stop = stop->get_token();
  options_.progress = [&](std::string_view step) {
    if (step.starts_with("reading")) stop->request_stop();
  };
  const auto reading = Get();
  ASSERT_FALSE(reading.has_value());
  EXPECT_EQ(reading.error().code, ErrorCode::kInterrupted);
  EXPECT_THAT(FilesLeft(), ElementsAre(".lock"));
  options_.pack_command = {"sh", "-c", "sleep 60"};
  const auto sleeping = Get();
  ASSERT_FALSE(sleeping.has_value());
  EXPECT_EQ(sleeping.error().code, ErrorCode::kInterrupted);
}

TEST_F(GetDataTest, AKilledProcessLeftoversAreNoHindrance) {
  dir_.Write("tiny/.work/unpacked/package/data/spam-1/9.txt", "old");
  dir_.Write("tiny/mails.jsonl", "half a li");
  const auto path = Get();
  ASSERT_TRUE(path.has_value()) << path.error().message;
  EXPECT_EQ(LoadDataset(*path, {})->items.size(), 3U);
}

TEST_F(GetDataTest, AMissingMailIsAnError) {
  CatalogEntry entry = Entry();
  entry.items = 4;
  const auto path = GetData(entry, dir_.path(), options_);
  ASSERT_FALSE(path.has_value());
  EXPECT_EQ(path.error().message, "archive.tgz holds 3 mails, not 4");
}

TEST(Catalog, UnknownNamesGetASuggestion) {
  const auto path = GetData("spam-asassin", "/nonexistent");
  ASSERT_FALSE(path.has_value());
  EXPECT_EQ(path.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(path.error().message,
            "no data set 'spam-asassin' in the catalog, did you mean "
            "'spam-assassin'?");
  EXPECT_EQ(path.error().hint, "there are: spam-assassin, languages, letters");
}

TEST(RunProcess, ArgumentsAreNotInterpreted) {
  const auto done = RunProcess({"echo", "$HOME; *", "`id`"}, "/", {});
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(done->output, "$HOME; * `id`\n");
  EXPECT_EQ(RunProcess({"sh", "-c", "exit 7"}, "/", {})->exit_code, 7);
  EXPECT_EQ(RunProcess({"sh", "-c", "kill -9 $$"}, "/", {})->exit_code, 137);
}

TEST(RunProcess, KeepsTheEndOfALongOutput) {
  const auto done = RunProcess({"seq", "1", "100000"}, "/", {});
  ASSERT_TRUE(done.has_value());
  EXPECT_LE(done->output.size(), 3U * 4096U);
  EXPECT_TRUE(done->output.ends_with("99999\n100000\n"));
}

TEST(RunProcess, StopEndsTheWholeGroup) {
  const auto stop = std::make_unique<std::stop_source>();
  stop->request_stop();
  const auto done =
      RunProcess({"sh", "-c", "sleep 60 & sleep 60"}, "/", stop->get_token());
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace modicum
