// SPDX-License-Identifier: Apache-2.0
#include "base/glob.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace modicum {
namespace {

TEST(Glob, FindsWhatAShellWouldSorted) {
  const std::string folder =
      testing::TempDir() + "modicum_glob_" + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  for (const char* name : {"b.gguf", "a.gguf", "c.txt", "[x].gguf"})
    std::ofstream(folder + "/" + name) << name;
  EXPECT_EQ(PathsMatching(folder + "/?.gguf"),
            (std::vector<std::string>{folder + "/a.gguf", folder + "/b.gguf"}));
  // A name that looks like a pattern is the file of that name.
  EXPECT_EQ(PathsMatching(folder + "/[x].gguf"),
            std::vector<std::string>{folder + "/[x].gguf"});
  EXPECT_TRUE(PathsMatching(folder + "/*.none").empty());
  EXPECT_TRUE(PathsMatching(folder + "/none").empty());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace modicum
