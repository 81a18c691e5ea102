// SPDX-License-Identifier: Apache-2.0
#include "base/stop_after.h"

#include <gtest/gtest.h>

namespace modicum {
namespace {

TEST(StopAfter, StopsAtItsLimitOrWhenTheOuterDoes) {
  std::stop_source outer;
  EXPECT_TRUE(
      StopAfter(outer.get_token(), Seconds(0)).token().stop_requested());
  const StopAfter soon(outer.get_token(), Milliseconds(5));
  EXPECT_FALSE(WaitFor(Seconds(60), soon.token()));
  EXPECT_FALSE(outer.stop_requested());
  const StopAfter late(outer.get_token(), Seconds(3600));
  const StopAfter never(outer.get_token(), std::nullopt);
  EXPECT_FALSE(late.token().stop_requested());
  outer.request_stop();
  EXPECT_TRUE(late.token().stop_requested());
  EXPECT_TRUE(never.token().stop_requested());
}

}  // namespace
}  // namespace modicum
