// SPDX-License-Identifier: Apache-2.0
#include "meter/slicing_meter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/fake_clock.h"
#include "meter/fake_meter.h"

namespace modicum {
namespace {

constexpr int64_t kHourMicros = 3'600'000'000;

// Edges at every full hour.
WallTime NextHour(WallTime time) {
  return {(time.micros / kHourMicros + 1) * kHourMicros};
}

class SlicingMeterTest : public testing::Test {
 protected:
  SlicingMeterTest()
      : meter_(std::make_unique<FakeMeter>(clock_), clock_, NextHour) {}

  FakeClock clock_;
  SlicingMeter meter_;
};

TEST_F(SlicingMeterTest, AWindowWithinAnHourIsNotCut) {
  const WindowId window = meter_.Begin("w", {}, Edge::kExact);
  clock_.Tick(Seconds(3599));
  const auto reading = meter_.End(window);
  ASSERT_TRUE(reading);
  EXPECT_TRUE(reading->slices.empty());
  EXPECT_EQ(meter_.End(window).error().code, ErrorCode::kNotFound);
}

// Slices follow each other and are together the window.
TEST_F(SlicingMeterTest, CutsAtEveryEdge) {
  clock_.Tick(Seconds(1800));
  const WallTime began = clock_.WallNow();
  const WindowId window = meter_.Begin("w", {}, Edge::kExact);
  for (const double seconds : {1800.0, 3600.0, 600.0}) {
    clock_.Tick(Seconds(seconds));
    meter_.Cut();
  }
  const auto so_far = meter_.Peek(window);
  clock_.Tick(Seconds(60));
  const auto reading = meter_.End(window);
  ASSERT_TRUE(so_far && reading);
  EXPECT_EQ(so_far->slices.size(), 3U);
  ASSERT_EQ(reading->slices.size(), 3U);
  WallTime at = began;
  Joules sum;
  for (const EnergySlice& slice : reading->slices) {
    EXPECT_EQ(slice.began.micros, at.micros);
    at = slice.end();
    sum += slice.energy;
  }
  EXPECT_EQ(at.micros, clock_.WallNow().micros);
  EXPECT_DOUBLE_EQ(sum.value(), reading->split.own().mid.value());
  EXPECT_EQ(reading->slices[1].wall, Seconds(3600));
  EXPECT_DOUBLE_EQ(reading->slices[2].energy.value(), 10 * 660);
}

TEST_F(SlicingMeterTest, WindowsThatOverlapAreCutEachForItself) {
  const WindowId outer = meter_.Begin("outer", {}, Edge::kExact);
  clock_.Tick(Seconds(3000));
  const WindowId inner = meter_.Begin("inner", {}, Edge::kExact);
  clock_.Tick(Seconds(1200));
  const auto inside = meter_.End(inner);
  const auto outside = meter_.End(outer);
  ASSERT_TRUE(inside && outside);
  // Nobody cut at the full hour itself: the end did, and found it passed.
  ASSERT_EQ(outside->slices.size(), 2U);
  EXPECT_EQ(outside->slices[0].wall, Seconds(4200));
  ASSERT_EQ(inside->slices.size(), 2U);
  EXPECT_EQ(inside->slices[0].wall, Seconds(1200));
}

TEST_F(SlicingMeterTest, AStoppedWindowIsCutNoMore) {
  const WindowId phase = meter_.Begin("phase", {}, Edge::kExact);
  clock_.Tick(Seconds(4000));
  meter_.Cut();
  clock_.Tick(Seconds(1000));
  ASSERT_TRUE(meter_.Stop(phase));
  clock_.Tick(Seconds(3600));
  meter_.Cut();
  const auto reading = meter_.End(phase);
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->wall, Seconds(5000));
  ASSERT_EQ(reading->slices.size(), 2U);
  EXPECT_EQ(reading->slices[1].wall, Seconds(1000));
}

// The thread cuts without being asked.
TEST(SlicingMeter, TheThreadCuts) {
  std::atomic<int> edges = 0;
  SlicingMeter meter(std::make_unique<FakeMeter>(SystemClock()), SystemClock(),
                     [&edges](WallTime time) {
                       ++edges;
                       return WallTime{time.micros + 20'000};
                     });
  const WindowId window = meter.Begin("w", {}, Edge::kExact);
  while (edges < 5) std::this_thread::yield();
  const auto reading = meter.End(window);
  ASSERT_TRUE(reading);
  EXPECT_GE(reading->slices.size(), 4U);
}

TEST(SlicingMeter, WindowsOfManyThreadsWhileItIsCut) {
  SlicingMeter meter(std::make_unique<FakeMeter>(SystemClock()), SystemClock(),
                     [](WallTime time) { return WallTime{time.micros + 100}; });
  const auto work = [&meter] {
    for (int i = 0; i < 100; ++i) {
      const WindowId window = meter.Begin("w", {}, Edge::kExact);
      const auto so_far = meter.Peek(window);
      const auto reading = meter.End(window);
      ASSERT_TRUE(so_far && reading);
      Joules sum;
      for (const EnergySlice& slice : reading->slices) sum += slice.energy;
      EXPECT_LE(sum, reading->split.own().mid + Joules(1));
    }
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
}

}  // namespace
}  // namespace modicum
