// SPDX-License-Identifier: Apache-2.0
#include "probe/seen_updates.h"

#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "probe/fake.h"

namespace modicum {
namespace {

class SeenUpdatesTest : public testing::Test {
 protected:
  FakeProbe& Add(Seconds update_period) {
    FakeProbe::Options options;
    options.update_period = update_period;
    auto probe = std::make_unique<FakeProbe>(options, clock_.Now());
    FakeProbe& added = *probe;
    probes_.push_back(std::move(probe));
    return added;
  }

  FakeClock clock_;
  std::vector<std::unique_ptr<Probe>> probes_;
};

TEST_F(SeenUpdatesTest, EachAtItsOwnPace) {
  Add(Milliseconds(1)).Draw(clock_.Now(), Watts(10));
  Add(Milliseconds(20)).Draw(clock_.Now(), Watts(10));
  Add(Milliseconds(1));  // draws nothing
  const auto seen = WatchUpdates(probes_, clock_, Milliseconds(500));
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_NEAR(seen[0].period.value(), 0.001, 1e-5);
  EXPECT_NEAR(seen[1].period.value(), 0.020, 2e-4);
  EXPECT_EQ(Describe(seen[1]), "every 20 ms (25 seen)");
  EXPECT_EQ(Describe(seen[2]), "none in 500 ms: it may be stuck");
}

TEST_F(SeenUpdatesTest, EndsOnceAllHaveMovedOftenEnough) {
  FakeProbe& probe = Add(Milliseconds(1));
  probe.Draw(clock_.Now(), Watts(10));
  const auto seen = WatchUpdates(probes_, clock_, Seconds(5));
  EXPECT_LT(seen[0].watched, Milliseconds(60));
}

TEST_F(SeenUpdatesTest, WhatCannotBeReadHasNotMoved) {
  FakeProbe& probe = Add(Milliseconds(1));
  probe.Draw(clock_.Now(), Watts(10));
  probe.FailReads(1'000'000);
  EXPECT_EQ(WatchUpdates(probes_, clock_, Milliseconds(50))[0].changes, 0);
  EXPECT_TRUE(WatchUpdates({}, clock_, Seconds(1)).empty());
}

}  // namespace
}  // namespace modicum
