// SPDX-License-Identifier: Apache-2.0
#include "model/neural_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "model/test_data.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;

NeuralSettings AllChanged() {
  NeuralSettings settings;
  settings.threads = 2;
  settings.batch_threads = 3;
  settings.context = 128;
  settings.sequences = 4;
  settings.batch = 64;
  settings.micro_batch = 32;
  settings.poll = 0;
  settings.kv_type = "q8_0";
  settings.flash_attention = "on";
  settings.cpus = "0-1";
  settings.repack = false;
  settings.gpu_layers = 0;
  return settings;
}

TEST(NeuralSettings, EverySettingSurvivesItsText) {
  const auto texts = ToTexts(AllChanged());
  EXPECT_EQ(texts.size(), 12U);
  const auto read = SettingsOf(texts);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(ToTexts(*read), texts);
  EXPECT_TRUE(ToTexts(NeuralSettings{}).empty());
}

TEST(NeuralSettings, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(SettingsOf({{"thread", "1"}}).error().message,
            "no run setting 'thread', did you mean 'threads'?");
  EXPECT_EQ(SettingsOf({{"poll", "101"}}).error().message,
            "run setting poll = 101: a whole number from 0 to 100 expected");
  EXPECT_FALSE(SettingsOf({{"threads", "2x"}}));
  EXPECT_FALSE(SettingsOf({{"threads", ""}}));
  EXPECT_FALSE(SettingsOf({{"repack", "yes"}}));
}

TEST(TunedSettings, AreKeptByNetworkAndKind) {
  const TestFolder folder;
  const auto none = FindTuned(folder.path(), "abc", "generate");
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  NeuralSettings one;
  one.threads = 1;
  ASSERT_TRUE(KeepTuned(folder.path(), "abc",
                        {AllChanged(), "a CPU", "generate 1", "2026"}));
  ASSERT_TRUE(
      KeepTuned(folder.path(), "abc", {one, "a CPU", "embed 2", "2027"}));
  const auto text = FindTuned(folder.path(), "abc", "generate");
  ASSERT_TRUE(text && *text);
  EXPECT_EQ(ToTexts((*text)->settings), ToTexts(AllChanged()));
  EXPECT_EQ((*text)->host, "a CPU");
  EXPECT_EQ((*text)->workload, "generate 1");
  EXPECT_TRUE(IsTunedFor("generate", **text));
  const auto vectors = FindTuned(folder.path(), "abc", "embed");
  ASSERT_TRUE(vectors && *vectors);
  EXPECT_EQ(ToTexts((*vectors)->settings), ToTexts(one));
  EXPECT_EQ((*vectors)->workload, "embed 2");
  EXPECT_FALSE(*FindTuned(folder.path(), "abd", "embed"));
}

// As they were kept before kinds were told apart: one file for all.
TEST(TunedSettings, AFileWithoutAKindInItsNameIsOfTheWorkloadInIt) {
  const TestFolder folder;
  ASSERT_TRUE(
      KeepTuned(folder.path(), "abc", {{}, "a CPU", "embed 16", "2026"}));
  std::filesystem::rename(folder.path() + "/tuned/abc-embed.json",
                          folder.path() + "/tuned/abc.json");
  for (const std::string_view kind : kTunedKinds) {
    const auto found = FindTuned(folder.path(), "abc", kind);
    ASSERT_TRUE(found && *found) << kind;
    EXPECT_EQ(IsTunedFor(kind, **found), kind == "embed") << kind;
  }
  // What is found anew goes before it.
  ASSERT_TRUE(
      KeepTuned(folder.path(), "abc", {{}, "a CPU", "embed 32", "2027"}));
  EXPECT_EQ((*FindTuned(folder.path(), "abc", "embed"))->workload, "embed 32");
}

TEST(TunedSettings, ADamagedFileIsNamed) {
  const TestFolder folder;
  folder.Sub("tuned");
  for (const char* text : {"", "{}", "[1]", "{\"format\": \"modicum-tuned-1\"}",
                           "{\"format\": \"modicum-tuned-1\", \"settings\": "
                           "{\"threads\": \"x\"}, \"host\": \"\", "
                           "\"workload\": \"\", \"created\": \"\"}"}) {
    std::ofstream(folder.path() + "/tuned/abc.json") << text;
    EXPECT_FALSE(FindTuned(folder.path(), "abc", "embed")) << text;
  }
}

TEST(HostIdentity, ChangesWithTheMachine) {
  HostFacts host;
  host.cpu_model = "CPU";
  host.logical_cpus = 2;
  const std::string before = HostIdentity(host);
  host.logical_cpus = 4;
  EXPECT_NE(HostIdentity(host), before);
}

}  // namespace
}  // namespace modicum
