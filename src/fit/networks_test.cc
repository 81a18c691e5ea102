// SPDX-License-Identifier: Apache-2.0
#include "fit/networks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "model/gguf/gguf_sample.h"
#include "model/test_data.h"

namespace modicum {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

TEST(Networks, AreFoundByPatternEachOnce) {
  const TestFolder folder;
  const std::string bytes = GgufSample().File();
  ASSERT_TRUE(WriteFileAtomically(folder.path() + "/b.gguf", bytes));
  ASSERT_TRUE(WriteFileAtomically(folder.path() + "/a.gguf", bytes));
  Task task;
  task.models = {folder.path() + "/*.gguf", folder.path() + "/b.gguf"};
  task.prompt_template = "{text}: {label}";
  task.prompt_words = {{"0", "no"}};
  const auto networks = FindNetworks(task);
  ASSERT_TRUE(networks) << networks.error().message;
  ASSERT_EQ(networks->files.size(), 2U);
  EXPECT_EQ(networks->files[0].name, "a");
  EXPECT_EQ(networks->files[1].name, "b");
  EXPECT_EQ(networks->files[0].sha256, networks->files[1].sha256);
  EXPECT_TRUE(networks->files[0].generates);
  EXPECT_EQ(Get(networks->prompt, "word:0", std::string()), "no");
}

TEST(Networks, APatternWithoutAFileIsNamed) {
  Task task;
  task.file = "task.toml";
  task.models = {"/no/where/*.gguf"};
  const auto networks = FindNetworks(task);
  ASSERT_FALSE(networks);
  EXPECT_EQ(networks.error().message,
            "task.toml: models: no file is named /no/where/*.gguf");
}

TEST(Networks, AFileThatIsNoModelIsRefused) {
  const TestFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder.path() + "/a.gguf", "not a model"));
  Task task;
  task.models = {folder.path() + "/a.gguf"};
  const auto networks = FindNetworks(task);
  ASSERT_FALSE(networks);
  EXPECT_EQ(networks.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(networks.error().message, HasSubstr("a.gguf"));
}

TEST(Networks, ABaseIsLookedAtBeforeTheSearch) {
  const TestFolder folder;
  ASSERT_TRUE(
      WriteFileAtomically(folder.path() + "/a.gguf", GgufSample().File()));
  Task task;
  task.file = "task.toml";
  task.bases = {folder.path() + "/b.gguf"};
  EXPECT_EQ(
      FindNetworks(task).error().message,
      "task.toml: encoder.base: no file is named " + folder.path() + "/b.gguf");
  task.bases = {folder.path() + "/a.gguf"};
  const auto networks = FindNetworks(task);
  ASSERT_FALSE(networks);
  if (networks.error().code == ErrorCode::kUnavailable)
    GTEST_SKIP() << networks.error().message;  // built without llama.cpp
  EXPECT_EQ(networks.error().message,
            folder.path() +
                "/a.gguf: a network of architecture 'llama' is no base of an "
                "encoder: 'bert' is");
}

TEST(Networks, AWordForNoLabelIsRefused) {
  Task task;
  task.file = "task.toml";
  task.prompt_words = {{"hamm", "good"}};
  const Status checked = CheckPromptLabels(task, {"ham", "spam"});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().message,
            "task.toml: [prompt.labels] has a word for 'hamm', which is no "
            "label of the data, did you mean 'ham'?");
}

}  // namespace
}  // namespace modicum
