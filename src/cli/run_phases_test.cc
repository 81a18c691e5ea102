// SPDX-License-Identifier: Apache-2.0
#include "cli/run_phases.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

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
  std::map<std::string, Joules> machine;
  for (const RunPhase& phase : found) {
    sum += phase.energy.mid;
    for (const DomainEnergy& domain : phase.domains)
      machine[domain.domain.name] += domain.energy.mid;
  }
  const auto reading = meter.End(whole);
  EXPECT_NEAR(sum.value(), reading->split.own().mid.value(), 1e-9);
  ASSERT_EQ(machine.size(), reading->domains.size());
  for (const DomainEnergy& domain : reading->domains)
    EXPECT_NEAR(machine[domain.domain.name].value(), domain.energy.mid.value(),
                1e-9);
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
