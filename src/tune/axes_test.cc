// SPDX-License-Identifier: Apache-2.0
#include "tune/axes.h"

#include <gtest/gtest.h>

#include "model/neural_settings.h"

namespace modicum {
namespace {

const TuneMachine kFour = {{0, 1, 2, 3},
                           {0, 1}};  // two cores, two threads each

TEST(Axes, EveryChangeIsAChangeAndAValidSetting) {
  for (const auto kind :
       {TuneWorkload::Kind::kGenerate, TuneWorkload::Kind::kEmbed}) {
    TuneWorkload workload;
    workload.kind = kind;
    workload.kv_types = {"f16", "q8_0"};
    const NeuralSettings defaults;
    size_t changes = 0;
    for (size_t axis = 0; axis < AxisCount(); ++axis)
      for (const Change& change : ChangesOf(axis, defaults, workload, kFour)) {
        auto texts = ToTexts(defaults);
        for (const auto& [name, value] : change) texts[name] = value;
        const auto settings = SettingsOf(texts);
        ASSERT_TRUE(settings) << settings.error().message;
        EXPECT_NE(ToTexts(*settings), ToTexts(defaults)) << ToString(change);
        ++changes;
      }
    EXPECT_GE(changes, 8U);
  }
}

TEST(Axes, TextsToEmbedAreFirstTriedByBlasWhichNeedsNoSettingsOfLlamaCpp) {
  TuneWorkload workload;
  workload.kind = TuneWorkload::Kind::kEmbed;
  NeuralSettings best;
  best.blas = "off";
  const auto changes = ChangesOf(0, best, workload, kFour);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(ToString(changes[0]), "blas on");
  best.blas = "on";
  for (size_t axis = 0; axis < AxisCount(); ++axis)
    for (const Change& change : ChangesOf(axis, best, workload, kFour)) {
      EXPECT_FALSE(change.contains("blas"));
      EXPECT_FALSE(change.contains("repack"));
      EXPECT_FALSE(change.contains("flash_attention"));
    }
}

TEST(Axes, WhereGpusHoldLayersTheCpuAloneIsTriedAndHalf) {
  TuneMachine machine = kFour;
  EXPECT_TRUE(ChangesOf(1, {}, {}, machine).empty());
  machine.gpu_layers = 24;
  const auto changes = ChangesOf(1, {}, {}, machine);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(ToString(changes[0]), "gpu layers 0");
  EXPECT_EQ(ToString(changes[1]), "gpu layers 12");
  NeuralSettings best;
  best.gpu_layers = 0;
  EXPECT_EQ(ChangesOf(1, best, {}, machine).size(), 1U);
}

TEST(Axes, FewerThreadsForDecodingLeavePrefillItsOwn) {
  const auto changes = ChangesOf(2, {}, {}, kFour);
  ASSERT_EQ(changes.size(), 2U);  // 1 and 2 of 4
  EXPECT_EQ(ToString(changes[0]), "batch threads 4, threads 1");
  EXPECT_EQ(ToString(changes[1]), "batch threads 4, threads 2");
}

TEST(Axes, AMicroBatchThatChangesNothingIsNotTried) {
  TuneWorkload workload;
  workload.prompt = 100;
  for (size_t axis = 0; axis < AxisCount(); ++axis)
    for (const Change& change : ChangesOf(axis, {}, workload, kFour))
      if (change.contains("micro_batch")) {
        EXPECT_EQ(change.at("micro_batch"), "64");
      }
}

TEST(Axes, OneCpuHasNothingToWaitFor) {
  const TuneMachine one = {{5}, {5}};
  for (size_t axis = 0; axis < AxisCount(); ++axis)
    for (const Change& change : ChangesOf(axis, {}, {}, one)) {
      EXPECT_FALSE(change.contains("threads"));
      EXPECT_FALSE(change.contains("poll"));
    }
}

TEST(CpuList, JoinsRuns) {
  EXPECT_EQ(CpuList({0, 1, 3, 5, 6, 7}), "0-1,3,5-7");
  EXPECT_EQ(CpuList({2}), "2");
  EXPECT_EQ(CpuList({}), "");
}

}  // namespace
}  // namespace modicum
