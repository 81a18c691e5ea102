// SPDX-License-Identifier: Apache-2.0
#include "probe/fake.h"

#include <gtest/gtest.h>

#include "probe/test_machines.h"

namespace modicum {
namespace {

TEST(FakeProbe, ReplaysItsTrace) {
  FakeProbe probe({}, At(0));
  probe.Draw(At(0), Watts(10));
  probe.Draw(At(2), Watts(30));
  EXPECT_DOUBLE_EQ(probe.Read(At(1))->at(0).energy.value(), 10);
  EXPECT_DOUBLE_EQ(probe.Read(At(3))->at(0).energy.value(), 40);
  EXPECT_DOUBLE_EQ(probe.TrueEnergy(At(0), At(3)).value(), 50);
}

TEST(FakeProbe, FailedReadMakesTheNextOneAGapWithoutEnergy) {
  FakeProbe probe({}, At(0));
  probe.Draw(At(0), Watts(10));
  probe.FailReads(2, ErrorCode::kPermission);
  EXPECT_EQ(probe.Read(At(1)).error().code, ErrorCode::kPermission);
  EXPECT_FALSE(probe.Read(At(2)).has_value());
  const DomainDelta gap = probe.Read(At(3))->at(0);
  EXPECT_TRUE(gap.gap);
  EXPECT_EQ(gap.energy.value(), 0);
  const DomainDelta after = probe.Read(At(4))->at(0);
  EXPECT_FALSE(after.gap);
  EXPECT_DOUBLE_EQ(after.energy.value(), 10);
  EXPECT_EQ(probe.reads(), 4);
}

TEST(FakeProbe, CounterMovesOnlyAtItsUpdatePeriod) {
  FakeProbe probe({.update_period = Seconds(0.5)}, At(0));
  probe.Draw(At(0), Watts(10));
  EXPECT_EQ(probe.Read(At(0.4))->at(0).energy.value(), 0);
  EXPECT_DOUBLE_EQ(probe.Read(At(0.9))->at(0).energy.value(), 5);
  EXPECT_DOUBLE_EQ(probe.Read(At(1.0))->at(0).energy.value(), 5);
}

TEST(FakeProbe, AResetIsAGapInThatDomainOnly) {
  FakeProbe probe({.domains = {{.name = "a", .component = "cpu"},
                               {.name = "b", .component = "dram"}}},
                  At(0));
  probe.Draw(At(0), Watts(1), 0);
  probe.Draw(At(0), Watts(2), 1);
  probe.ResetCounter(1);
  const auto deltas = *probe.Read(At(1));
  EXPECT_DOUBLE_EQ(deltas[0].energy.value(), 1);
  EXPECT_TRUE(deltas[1].gap);
}

}  // namespace
}  // namespace modicum
