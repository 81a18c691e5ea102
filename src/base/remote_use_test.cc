// SPDX-License-Identifier: Apache-2.0
#include "base/remote_use.h"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>
#include <vector>

namespace modicum {
namespace {

RemoteUse OneRequest() {
  RemoteUse use;
  use.requests = 1;
  use.tokens_in = 100;
  use.tokens_out = 2;
  use.price = 0.25;
  use.currency = "USD";
  use.energy = Joules(3);
  use.energy_rel_sd = 0.5;
  return use;
}

TEST(RemoteUseTest, IsWhatCameSince) {
  AddRemoteUse("since", OneRequest());
  const RemoteUses before = RemoteUseSoFar();
  EXPECT_TRUE(RemoteUseSince(before).empty());
  AddRemoteUse("since", OneRequest());
  AddRemoteUse("other", OneRequest());
  const RemoteUses uses = RemoteUseSince(before);
  ASSERT_EQ(uses.size(), 2U);
  EXPECT_EQ(uses.at("since").tokens_in, 100U);
  EXPECT_EQ(uses.at("since").requests, 1U);
  EXPECT_DOUBLE_EQ(RemotePrice(uses), 0.5);
}

TEST(RemoteUseTest, AnswersWithoutALabelAreCounted) {
  AddRemoteUse("labels", OneRequest());
  const RemoteUses before = RemoteUseSoFar();
  EXPECT_EQ(UnlabelledText(before.at("labels")), "");
  RemoteUse use = OneRequest();
  use.unlabelled = 1;
  use.example = "Sure!";
  AddRemoteUse("labels", use);
  AddRemoteUse("labels", OneRequest());
  EXPECT_EQ(UnlabelledText(RemoteUseSince(before).at("labels")),
            "1 of 2 answers held no label (for example: \"Sure!\")");
}

TEST(RemoteUseTest, EnergyIsAssumedAndErrsTogether) {
  RemoteUses uses{{"a", OneRequest()}};
  const Estimate<Joules> one = RemoteEnergy(uses);
  EXPECT_EQ(one.origin, Origin::kAssumed);
  EXPECT_DOUBLE_EQ(one.sd(), 1.5);
  uses["b"] = OneRequest();
  const Estimate<Joules> two = RemoteEnergy(uses);
  EXPECT_DOUBLE_EQ(two.mid.value(), 6);
  EXPECT_NEAR(two.sd(), std::hypot(1.5, 1.5), 1e-12);
}

TEST(RemoteUseTest, NothingIsNoEnergy) {
  EXPECT_EQ(RemoteEnergy({}).mid.value(), 0);
}

TEST(RemoteUseTest, ThreadsLoseNothing) {
  const RemoteUses before = RemoteUseSoFar();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([] {
        for (int k = 0; k < 250; ++k) AddRemoteUse("many", OneRequest());
      });
  }
  EXPECT_EQ(RemoteUseSince(before).at("many").requests, 1000U);
}

}  // namespace
}  // namespace modicum
