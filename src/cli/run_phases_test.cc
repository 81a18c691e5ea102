// SPDX-License-Identifier: Apache-2.0
#include "cli/run_phases.h"

#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "meter/fake_meter.h"

namespace modicum {
namespace {

TEST(RunPhases, TheirSumIsTheWhole) {
  FakeClock clock;
  FakeMeter meter(clock);
  const WindowId whole = meter.Begin("whole", {}, Edge::kExact);
  RunPhases phases(meter, {}, "modicum: phase ");
  clock.Tick(Seconds(1));
  phases.Line("modicum: phase load");
  clock.Tick(Seconds(2));
  phases.Line("some output");
  phases.Line("modicum: phase  train ");
  clock.Tick(Seconds(4));
  phases.Line("modicum: phase load");
  clock.Tick(Seconds(8));
  const auto found = phases.Finish();
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].name, "start");
  EXPECT_EQ(found[1].name, "load");
  EXPECT_EQ(found[1].times, 2);
  EXPECT_DOUBLE_EQ(found[1].wall.value(), 10);
  EXPECT_EQ(found[2].name, "train");
  Joules sum;
  for (const RunPhase& phase : found) sum += phase.energy.mid;
  EXPECT_NEAR(sum.value(), meter.End(whole)->split.own().mid.value(), 1e-9);
}

TEST(RunPhases, NoneWithoutAPrefix) {
  FakeClock clock;
  FakeMeter meter(clock);
  RunPhases phases(meter, {}, "");
  phases.Line("modicum: phase load");
  EXPECT_TRUE(phases.Finish().empty());
}

}  // namespace
}  // namespace modicum
