// SPDX-License-Identifier: Apache-2.0
#include "model/artifact.h"

#include <gmock/gmock.h>

#include <set>

#include "base/file.h"
#include "model/cascade.h"
#include "model/test_data.h"

namespace modicum {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

namespace fs = std::filesystem;

// A trained linear model, written as an artifact into its own folder.
class ArtifactTest : public testing::Test {
 protected:
  ArtifactTest() : data_(MakeTopics(2, 30)) {
    NullSink sink;
    const std::string trained = folder_.Sub("trained");
    const auto files =
        (*FindTrainer("linear"))
            ->Train(data_, AllRowsOf(data_), {}, {}, nullptr, trained, sink);
    MODICUM_CHECK(files.has_value());
    card_.name = "topics";
    card_.kind = "text-classification";
    card_.family = "linear";
    card_.labels = data_.labels;
    card_.data = Sha256Of("topics");
    files_ = files->files;
  }
  Status Write(const std::string& path) {
    return WriteArtifact(path, card_, folder_.path() + "/trained", files_);
  }
  std::string LoadFault(const std::string& path) {
    NullSink sink;
    const auto loaded = LoadArtifact(path, sink);
    return loaded ? "accepted" : loaded.error().message;
  }
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      names.insert(entry.path().filename());
    return names;
  }

  TestFolder folder_;
  std::string path_ = folder_.path() + "/topics.modicum";
  Dataset data_;
  Card card_;
  std::vector<std::string> files_;
};

TEST_F(ArtifactTest, WritesWholeAndLoads) {
  const auto status = Write(path_ + "/");  // a trailing slash is no matter
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(Names(), (std::set<std::string>{"topics.modicum", "trained"}));
  PhaseList phases;
  auto loaded = LoadArtifact(path_, phases);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(phases.seen, std::vector{Phase::kLoad});
  EXPECT_EQ(loaded->card.labels, data_.labels);
  EXPECT_NE(loaded->card.artifact, Hash{});
  const auto outputs = loaded->model->Predict(data_.items, {}, phases);
  EXPECT_GE(AccuracyOf(*outputs, data_.items), 0.99);
  EXPECT_TRUE(fs::exists(path_ + "/CARD.md"));
}

// A cascade could be made but not written.
TEST_F(ArtifactTest, ACascadesStagesLieInFoldersOfTheirOwn) {
  const std::string trained = folder_.path() + "/trained";
  std::vector<std::string> files{kCascadeFile};
  for (const char* stage : {"1", "2"}) {
    fs::create_directories(trained + "/" + stage);
    for (const std::string& file : files_) {
      fs::copy_file(trained + "/" + file, trained + "/" + stage + "/" + file);
      files.push_back(std::string(stage) + "/" + file);
    }
  }
  ASSERT_TRUE(WriteFileAtomically(
      trained + "/" + kCascadeFile,
      EncodeCascade({{"linear", "1", 0.9}, {"linear", "2", 0}})));
  card_.family = kCascadeFamily;
  files_ = files;
  const auto status = Write(path_);
  ASSERT_TRUE(status) << status.error().message;
  NullSink sink;
  auto loaded = LoadArtifact(path_, sink);
  ASSERT_TRUE(loaded) << loaded.error().message;
  const auto outputs = loaded->model->Predict(data_.items, {}, sink);
  EXPECT_GE(AccuracyOf(*outputs, data_.items), 0.99);
}

TEST_F(ArtifactTest, ReplacesAnArtifactAndNothingElse) {
  ASSERT_TRUE(Write(path_));
  card_.name = "second";
  ASSERT_TRUE(Write(path_));
  NullSink sink;
  EXPECT_EQ(LoadArtifact(path_, sink)->card.name, "second");

  const std::string other = folder_.Sub("precious");
  ASSERT_TRUE(WriteFileAtomically(other + "/thesis.txt", "years of work"));
  const auto status = Write(other);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message,
            other + " exists and is not an artifact: it is left as it is");
  EXPECT_TRUE(fs::exists(other + "/thesis.txt"));
  ASSERT_TRUE(WriteFileAtomically(folder_.path() + "/file", "text"));
  EXPECT_FALSE(Write(folder_.path() + "/file"));
  EXPECT_EQ(Names(), (std::set<std::string>{"file", "precious",
                                            "topics.modicum", "trained"}));
}

TEST_F(ArtifactTest, AFailureLeavesTheOldOneAndNoRest) {
  ASSERT_TRUE(Write(path_));
  files_.emplace_back("not-there.bin");
  EXPECT_FALSE(Write(path_));
  EXPECT_EQ(LoadFault(path_), "accepted");
  files_ = {"../trained/linear.bin"};
  EXPECT_FALSE(Write(path_));
  EXPECT_EQ(LoadFault(path_), "accepted");
  EXPECT_EQ(Names(), (std::set<std::string>{"topics.modicum", "trained"}));
}

TEST_F(ArtifactTest, AFolderThatIsNotThere) {
  const auto status = Write(folder_.path() + "/no/such/a.modicum");
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message,
              EndsWith("/no/such/a.modicum: No such file or directory"));
}

TEST_F(ArtifactTest, TruncatedAndAlteredFilesAreRefused) {
  ASSERT_TRUE(Write(path_));
  const std::string file = path_ + "/linear.bin";
  const std::string bytes = *ReadFile(file);
  const auto with = [&](const std::string& content) {
    MODICUM_CHECK(WriteFileAtomically(file, content).has_value());
    return LoadFault(path_);
  };
  EXPECT_EQ(
      with(bytes.substr(0, 100)),
      file + " has 100 bytes, its card says " + std::to_string(bytes.size()));
  std::string flipped = bytes;
  flipped[bytes.size() / 2] ^= 1;
  EXPECT_EQ(with(flipped), file + " does not have the sha256 its card says");
  EXPECT_EQ(with(bytes), "accepted");
  fs::remove(file);
  EXPECT_EQ(LoadFault(path_), file + " is missing");
  fs::create_symlink("/etc/hostname", file);
  EXPECT_EQ(LoadFault(path_), file + " is not a regular file");
}

TEST_F(ArtifactTest, ForeignFoldersAreRefused) {
  EXPECT_EQ(LoadFault(path_), "no artifact at " + path_);
  const std::string other = folder_.Sub("other");
  EXPECT_EQ(LoadFault(other),
            other + " is not an artifact: it has no card.json");
  ASSERT_TRUE(WriteFileAtomically(other + "/card.json", "{}"));
  EXPECT_EQ(LoadFault(other), other + "/card.json: not a modicum artifact");
}

TEST_F(ArtifactTest, AFamilyFromAnotherBuild) {
  card_.family = "quantum";
  ASSERT_TRUE(Write(path_));
  EXPECT_EQ(LoadFault(path_), "no model family 'quantum'");
}

TEST(ArtifactHash, EveryPartCounts) {
  const Hash data = Sha256Of("d");
  const Params params{{"C", 1.0}};
  const std::vector<Hash> parent{Sha256Of("p")};
  const std::set<Hash> all{
      ArtifactHash({}, "train:linear", params, data),
      ArtifactHash(parent, "train:linear", params, data),
      ArtifactHash({}, "train:fasttext", params, data),
      ArtifactHash({}, "train:linear", {{"C", 2.0}}, data),
      ArtifactHash({}, "train:linear", {{"C", int64_t{1}}}, data),
      ArtifactHash({}, "train:linear", {{"D", 1.0}}, data),
      ArtifactHash({}, "train:linear", params, Sha256Of("e"))};
  EXPECT_EQ(all.size(), 7U);
  EXPECT_EQ(ArtifactHash({}, "train:linear", params, data),
            ArtifactHash({}, "train:linear", params, data));
}

}  // namespace
}  // namespace modicum
