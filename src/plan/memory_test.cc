// SPDX-License-Identifier: Apache-2.0
#include "plan/memory.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "plan/test_plans.h"

namespace modicum {
namespace {

Architecture Preset(const char* name) { return FindArchitecture(name).value(); }
double StatesOf(const TrainMemory& memory) {
  return memory.weights + memory.gradients + memory.optimizer;
}

// Rajbhandari et al. 2020, figure 1: 7.5 B parameters over 64 devices.
TEST(Memory, ZeroStagesTakeWhatItsPaperSays) {
  Architecture model = TypicalArchitecture(7.5e9).value();
  model.largest_layer = 0;  // the paper leaves the gathered layer out
  model.embedding = 0;
  TrainSetup setup;
  Parallelism parallel;
  parallel.data = 64;
  const double expected[] = {120e9, 31.4e9, 16.6e9, 1.9e9};
  for (int stage = 0; stage < 4; ++stage) {
    parallel.zero = stage;
    const double states = StatesOf(TrainMemoryOf(model, setup, parallel));
    EXPECT_NEAR(states / expected[stage], 1, 0.02) << stage;
  }
}

TEST(Memory, DeepSpeedEstimatesOfT5Small) {
  const Architecture t5 = Preset("t5-small");
  constexpr double kGib = 1073741824.0;
  const auto rounded = [](double gib) { return std::round(gib * 100) / 100; };
  EXPECT_EQ(rounded(DeepSpeedZero3(t5.parameters, t5.largest_layer, 1) / kGib),
            1.08);
  EXPECT_EQ(
      rounded(DeepSpeedOffloadedOptimizer(t5.parameters, t5.largest_layer) /
              kGib),
      0.17);
  EXPECT_EQ(rounded(DeepSpeedOffloaded(t5.largest_layer) / kGib), 0.06);
}

// Korthikanti et al. 2022, equation 2, GPT-3: s = 2048, b = 1, no parallelism.
TEST(Memory, ActivationsFollowTheirFormula) {
  const Architecture gpt3 = Preset("gpt-3");
  TrainSetup setup;
  Parallelism parallel;
  const double sbh = 2048.0 * 12288;
  parallel.recompute = Recompute::kNone;
  EXPECT_DOUBLE_EQ(TrainMemoryOf(gpt3, setup, parallel).activations,
                   96 * sbh * (34 + 5 * 96 * 2048.0 / 12288));
  parallel.recompute = Recompute::kSelective;
  EXPECT_DOUBLE_EQ(TrainMemoryOf(gpt3, setup, parallel).activations,
                   96 * 34 * sbh);
  parallel.recompute = Recompute::kFull;
  EXPECT_DOUBLE_EQ(TrainMemoryOf(gpt3, setup, parallel).activations,
                   96 * 2 * sbh + 34 * sbh);
}

TEST(Memory, EachMeansOfSavingSaves) {
  const Architecture model = Preset("llama-2-13b");
  TrainSetup setup;
  Parallelism parallel;
  parallel.data = 8;
  double before = TrainMemoryOf(model, setup, parallel).total();
  for (int stage = 1; stage < 4; ++stage) {
    parallel.zero = stage;
    const double after = TrainMemoryOf(model, setup, parallel).total();
    EXPECT_LT(after, before) << stage;
    before = after;
  }
  parallel.tensor = 2;
  EXPECT_LT(TrainMemoryOf(model, setup, parallel).total(), before);
  setup.adapter.rank = 8;
  const double lora = TrainMemoryOf(model, setup, parallel).total();
  EXPECT_LT(lora, before);
  setup.adapter.weight_bits = 4.127;
  EXPECT_LT(TrainMemoryOf(model, setup, parallel).total(), lora);
}

TEST(Memory, FewestDevicesFitAndOneLessDoesNot) {
  const TrainSetup setup;
  const Architecture model = Preset("llama-2-70b");
  const Accelerator& chip = Chip("a100-80");
  const auto fewest = FewestDevices(model, setup, chip, 4096);
  ASSERT_TRUE(fewest);
  const int devices = fewest->parallel.devices();
  EXPECT_TRUE(fewest->fits);
  EXPECT_EQ(devices % chip.per_node, 0);
  EXPECT_FALSE(BestLayout(model, setup, chip, devices - chip.per_node).fits);
  // 16 bytes a parameter need 14 of 80 GB for the states alone.
  EXPECT_GE(devices, 14);
}

TEST(Memory, AdaptersNeedFarLess) {
  TrainSetup setup;
  setup.adapter = {8, 4.127};
  setup.sequence = 1024;
  const auto one =
      FewestDevices(Preset("llama-3.1-70b"), setup, Chip("h100"), 1);
  ASSERT_TRUE(one) << "measured: 62.5 GB at the peak on one H100";
  EXPECT_TRUE(one->fits);
  EXPECT_NEAR(one->memory.weights / 36.4e9, 1, 0.03);
}

TEST(Memory, MostImpossibleModelHasASmallestLayout) {
  const Layout layout = BestLayout(TypicalArchitecture(1e14).value(),
                                   TrainSetup(), Chip("t4"), 8);
  EXPECT_FALSE(layout.fits);
  EXPECT_GT(layout.memory.total(), 1e12);
}

TEST(Memory, SolverTakesLessThan50Milliseconds) {
  const TrainSetup setup;
  const Architecture model = Preset("deepseek-v3");
  const auto start = std::chrono::steady_clock::now();
  const auto layout = FewestDevices(model, setup, Chip("h100"), 65536);
  const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - start;
  ASSERT_TRUE(layout);
  // Generous: unoptimised builds and sanitizers run this too.
  EXPECT_LT(took.count(), 1.0);
}

}  // namespace
}  // namespace modicum
