// SPDX-License-Identifier: Apache-2.0
#include "model/module.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "model/test_data.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Registry, FamiliesHumblestFirst) {
  EXPECT_THAT(Families(),
              ElementsAre("majority", "linear", "fasttext", "forest", "boosted",
                          "encoder", "embed+linear", "prompt", "remote"));
  for (const std::string_view family : Families()) {
    const auto trainer = FindTrainer(family);
    // Not every build has llama.cpp.
    if (family == "encoder" && !trainer) continue;
    ASSERT_TRUE(trainer) << trainer.error().message;
    EXPECT_EQ((*trainer)->family(), family);
    EXPECT_EQ(*FindTrainer(family), *trainer);  // opened once
  }
  EXPECT_EQ((*EngineOf("linear"))->name(), "liblinear");
  EXPECT_EQ((*EngineOf("fasttext"))->version(), "0.9.2");
  EXPECT_EQ((*EngineOf("forest"))->name(), "xgboost");
  EXPECT_EQ(*EngineOf("boosted"), *EngineOf("forest"));
}

TEST(Registry, UnknownFamily) {
  const auto trainer = FindTrainer("fastext");
  ASSERT_FALSE(trainer);
  EXPECT_EQ(trainer.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(trainer.error().message,
            "no model family 'fastext', did you mean 'fasttext'?");
  EXPECT_EQ(FindTrainer("xgboost").error().hint,
            "there are: majority, linear, fasttext, forest, boosted, encoder, "
            "embed+linear, prompt, remote");
}

TEST(Module, MissingSaysWhereItLooked) {
  const auto engine = OpenModule("nothing", {"/no/where", "/else/where"});
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(engine.error().message,
            "module libmodicum-nothing.so is not installed (searched "
            "/no/where, /else/where)");
  EXPECT_THAT(engine.error().hint, HasSubstr("MODICUM_MODULES"));
}

TEST(Module, WhatIsNoLibraryIsRefused) {
  const TestFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder.path() + "/libmodicum-x.so", "text"));
  const auto engine = OpenModule("x", {folder.path()});
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(engine.error().message, StartsWith("cannot load "));
}

TEST(Module, AForeignLibraryIsRefused) {
  const TestFolder folder;
  const std::string path = folder.path() + "/libmodicum-x.so";
  // A real library that exports none of ours.
  for (const char* libm :
       {"/lib/x86_64-linux-gnu/libm.so.6", "/lib/aarch64-linux-gnu/libm.so.6"})
    if (std::filesystem::exists(libm))
      std::filesystem::create_symlink(libm, path);
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no libm found";
  EXPECT_EQ(OpenModule("x", {folder.path()}).error().message,
            path + " is not a modicum engine");
}

TEST(Module, FolderComesFromTheEnvironment) {
  ASSERT_EQ(setenv("MODICUM_MODULES", "/opt/m", 1), 0);
  EXPECT_THAT(ModuleFolders(), ElementsAre("/opt/m"));
  unsetenv("MODICUM_MODULES");
  EXPECT_EQ(ModuleFolders().size(), 2U);
}

}  // namespace
}  // namespace modicum
