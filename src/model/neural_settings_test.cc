// SPDX-License-Identifier: Apache-2.0
#include "model/neural_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(TunedSettings, AreKeptByNetwork) {
  const TestFolder folder;
  const auto none = FindTuned(folder.path(), "abc");
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  const TunedSettings tuned = {AllChanged(), "a CPU", "generate", "2026"};
  ASSERT_TRUE(KeepTuned(folder.path(), "abc", tuned));
  const auto found = FindTuned(folder.path(), "abc");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ(ToTexts((*found)->settings), ToTexts(AllChanged()));
  EXPECT_EQ((*found)->host, "a CPU");
  EXPECT_EQ((*found)->workload, "generate");
}

TEST(TunedSettings, ADamagedFileIsNamed) {
  const TestFolder folder;
  folder.Sub("tuned");
  for (const char* text : {"", "{}", "[1]", "{\"format\": \"modicum-tuned-1\"}",
                           "{\"format\": \"modicum-tuned-1\", \"settings\": "
                           "{\"threads\": \"x\"}, \"host\": \"\", "
                           "\"workload\": \"\", \"created\": \"\"}"}) {
    std::ofstream(folder.path() + "/tuned/abc.json") << text;
    EXPECT_FALSE(FindTuned(folder.path(), "abc")) << text;
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
