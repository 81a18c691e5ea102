// SPDX-License-Identifier: Apache-2.0
// Tiny packages stand in for Debian's; `cp` stands in for apt-get.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stop_token>

#include "base/file.h"
#include "base/hash.h"
#include "dataset/catalog.h"
#include "dataset/dataset.h"
#include "dataset/debian/r_frame_sample.h"
#include "dataset/subprocess.h"
#include "dataset/temp_folder.h"

namespace modicum {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kFrame[] =
    "usr/lib/R/site-library/mlbench/data/LetterRecognition.rda";

class GetPackagesTest : public testing::Test {
 protected:
  GetPackagesTest() {
    Page("pages-de/usr/share/man/de/man1/a.1",
         "Diese Seite beschreibt, wie die Datei gelesen wird.\n");
    Page("pages/usr/share/man/man1/a.1",
         "This page describes how the file is being read.\n");
    source_.Write(std::string("table/") + kFrame, SampleFrame("lettr"));
    Shell(
        "cd table/usr/lib/R/site-library/mlbench/data && xz -S .xz "
        "LetterRecognition.rda && mv LetterRecognition.rda.xz "
        "LetterRecognition.rda");
    for (const char* name : {"pages", "pages-de", "table"}) Pack(name);
    options_.apt_command = {"sh", "-c",
                            "for p; do cp " + source_.path() +
                                "/${p}_1-2_all.deb . || exit 100; done",
                            "apt-get"};
    options_.progress = [this](std::string_view step) {
      steps_.emplace_back(step);
    };
  }

  void Page(const std::string& file, std::string_view text) const {
    source_.Write(file, text);
    Shell("gzip " + file);
  }
  void Pack(const std::string& name) const {
    source_.Write(name + "/DEBIAN/control",
                  "Package: " + name +
                      "\nVersion: 1-2\nArchitecture: all\n"
                      "Maintainer: A <a@b.c>\nDescription: a test\n");
    Shell("dpkg-deb -b " + name + " " + name + "_1-2_all.deb");
  }
  void Shell(const std::string& command) const {
    const auto done = RunProcess({"sh", "-c", command}, source_.path(), {});
    ASSERT_TRUE(done.has_value());
    ASSERT_EQ(done->exit_code, 0) << done->output;
  }

  CatalogEntry Entry(CatalogKind kind) const {
    const bool pages = kind == CatalogKind::kManPages;
    return {.name = "tiny",
            .summary = "a test",
            .kind = kind,
            .packages = pages ? "pages pages-de" : "table",
            .archive = "",
            .sha256 = sha256_,
            .licence = "CC0",
            .origin = "a test",
            .file = pages ? "rows.jsonl" : "rows.csv",
            .items = 2};
  }
  Result<std::string> Get(CatalogKind kind) {
    return GetData(Entry(kind), dir_.path(), options_);
  }
  // As someone does who made the entry: what comes out is what is expected.
  Result<std::string> GetWhatever(CatalogKind kind) {
    sha256_ = std::string(64, '0');
    const std::string message = Get(kind).error().message;
    const size_t at = message.find("is ", message.find("SHA-256"));
    sha256_ = message.substr(at + 3, 64);
    steps_.clear();
    return Get(kind);
  }
  std::vector<std::string> FilesLeft() const {
    std::vector<std::string> names;
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

TEST_F(GetPackagesTest, PagesBecomeLabelledParagraphs) {
  const auto path = GetWhatever(CatalogKind::kManPages);
  ASSERT_TRUE(path.has_value()) << path.error().message;
  EXPECT_EQ(*ReadFile(*path),
            "{\"text\":\"Diese Seite beschreibt, wie die Datei gelesen "
            "wird.\",\"label\":\"de\",\"group\":\"a.1\",\"id\":\"de/a.1:0\"}\n"
            "{\"text\":\"This page describes how the file is being read.\","
            "\"label\":\"en\",\"group\":\"a.1\",\"id\":\"en/a.1:0\"}\n");
  EXPECT_THAT(FilesLeft(),
              ElementsAre(".lock", "SOURCE.txt", "rows.jsonl", "stamp"));
  EXPECT_THAT(steps_, ElementsAre("downloading pages and pages-de", "unpacking",
                                  "reading 0 of 2 manual pages"));
  // Nothing is done twice.
  steps_.clear();
  options_.apt_command = {"false"};
  EXPECT_TRUE(Get(CatalogKind::kManPages).has_value());
  EXPECT_THAT(steps_, ElementsAre());
}

TEST_F(GetPackagesTest, AFrameBecomesATable) {
  const auto path = GetWhatever(CatalogKind::kRTable);
  ASSERT_TRUE(path.has_value()) << path.error().message;
  LoadOptions options;
  options.table = true;
  const auto data = LoadDataset(*path, options);
  ASSERT_TRUE(data.has_value()) << data.error().message;
  EXPECT_EQ(data->items.size(), 3U);
  EXPECT_THAT(data->columns, ElementsAre("x-box", "y"));
  EXPECT_THAT(data->labels, ElementsAre("A", "B,C"));
}

TEST_F(GetPackagesTest, OtherContentIsRefusedAndLeavesNothing) {
  sha256_ = std::string(64, '0');
  const auto path = Get(CatalogKind::kRTable);
  ASSERT_FALSE(path.has_value());
  EXPECT_EQ(path.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(path.error().message,
              StartsWith("rows.csv is not the expected data: its SHA-256 is "));
  EXPECT_EQ(path.error().hint,
            "the packages differ from those of a test; put those into " +
                dir_.path() + "/tiny");
  EXPECT_THAT(FilesLeft(), ElementsAre(".lock"));
}

TEST_F(GetPackagesTest, PackagesPutThereByHandAreUsedWhateverTheirVersion) {
  ASSERT_TRUE(GetWhatever(CatalogKind::kManPages).has_value());
  fs::remove(dir_.path() + "/tiny/stamp");
  fs::copy(source_.path() + "/pages-de_1-2_all.deb",
           dir_.path() + "/tiny/pages-de_1%3a9_all.deb");
  steps_.clear();
  const auto path = Get(CatalogKind::kManPages);
  ASSERT_TRUE(path.has_value()) << path.error().message;
  EXPECT_THAT(steps_, testing::Contains("downloading pages"));
  EXPECT_TRUE(fs::exists(dir_.path() + "/tiny/pages-de_1%3a9_all.deb"));
}

TEST_F(GetPackagesTest, SaysWhatToDoWithoutAptOrNetwork) {
  options_.apt_command = {"no-such-apt"};
  const auto missing = Get(CatalogKind::kManPages);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(missing.error().message,
            "cannot run no-such-apt: it is not installed");
  EXPECT_EQ(missing.error().hint,
            "Debian and its kin have apt-get, or put the .deb files of pages, "
            "pages-de into " +
                dir_.path() + "/tiny");
  options_.apt_command = {"sh", "-c", "echo E: no network >&2; exit 100"};
  const auto offline = Get(CatalogKind::kManPages);
  ASSERT_FALSE(offline.has_value());
  EXPECT_EQ(offline.error().code, ErrorCode::kRetry);
  EXPECT_EQ(offline.error().message,
            "sh could not get pages and pages-de (exit code 100): E: no "
            "network");
  EXPECT_THAT(offline.error().hint,
              StartsWith("check the network, run apt-get update, or put "));
  options_.apt_command = {"true"};
  EXPECT_EQ(Get(CatalogKind::kManPages).error().message,
            "true did not write an archive of pages");
  EXPECT_THAT(FilesLeft(), ElementsAre(".lock"));
}

TEST_F(GetPackagesTest, ABrokenArchiveIsNamed) {
  source_.Write("table_1-2_all.deb", "no archive");
  const auto path = Get(CatalogKind::kRTable);
  ASSERT_FALSE(path.has_value());
  EXPECT_EQ(path.error().code, ErrorCode::kIo);
  EXPECT_THAT(path.error().message,
              StartsWith("dpkg-deb cannot unpack tiny (exit code 2): "));
  EXPECT_THAT(FilesLeft(), ElementsAre(".lock"));
}

TEST_F(GetPackagesTest, APackageWithoutItsDataIsAnError) {
  fs::rename(source_.path() + "/pages_1-2_all.deb",
             source_.path() + "/table_1-2_all.deb");
  const auto path = Get(CatalogKind::kRTable);
  ASSERT_FALSE(path.has_value());
  EXPECT_EQ(path.error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(path.error().message,
            "the archive of table has no usr/lib/R/site-library/mlbench/data/"
            "LetterRecognition.rda");
  EXPECT_THAT(FilesLeft(), ElementsAre(".lock"));
}

TEST_F(GetPackagesTest, StopsBetweenPages) {
  const auto stop = std::make_unique<std::stop_source>();
  options_.stop = stop->get_token();
  options_.progress = [&](std::string_view step) {
    if (step.starts_with("unpacking")) stop->request_stop();
  };
  const auto path = Get(CatalogKind::kManPages);
  ASSERT_FALSE(path.has_value());
  EXPECT_EQ(path.error().code, ErrorCode::kInterrupted);
  EXPECT_THAT(FilesLeft(), ElementsAre(".lock"));
}

// The entries as they are, but for what they download.
TEST(Catalog, EveryEntryIsWhole) {
  for (const CatalogEntry& entry : Catalog()) {
    EXPECT_EQ(entry.sha256.size(), 64U) << entry.name;
    EXPECT_EQ(entry.kind == CatalogKind::kMails, !entry.archive.empty());
    for (const std::string_view field :
         {entry.summary, entry.packages, entry.licence, entry.origin,
          entry.file})
      EXPECT_FALSE(field.empty()) << entry.name;
  }
}

}  // namespace
}  // namespace modicum
