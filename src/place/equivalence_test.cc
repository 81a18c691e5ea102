// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "place/place.h"

namespace modicum {
namespace {

std::vector<Equivalence> Of(Joules energy, GramsCo2e carbon) {
  return Equivalences(Exactly(energy, Origin::kCounter, Scope::kHost),
                      Exactly(carbon, Origin::kModelled, Scope::kHost));
}

TEST(Equivalences, OneOfEachIsOne) {
  const auto things = Of(KilowattHours(0.012), GramsCo2e(244));
  ASSERT_EQ(things.size(), 4u);
  EXPECT_EQ(things[0].what, "phone charges");
  EXPECT_DOUBLE_EQ(things[0].count.mid.value(), 1);
  EXPECT_EQ(things[3].what, "km by car");
  EXPECT_DOUBLE_EQ(things[3].count.mid.value(), 1);
}

TEST(Equivalences, PublishedFigures) {
  // EIA: 10,791 kWh a year and household; IEA: 0.077 kWh an hour of video;
  // EPA: 3.93e-4 t a mile.
  const auto things = Of(KilowattHours(10791), GramsCo2e(393 / 1.609344));
  EXPECT_NEAR(things[2].count.mid.value(), 365, 1);
  EXPECT_NEAR(things[1].count.mid.value(), 10791 / 0.077, 1);
  EXPECT_NEAR(things[3].count.mid.value(), 1, 0.002);
}

TEST(Equivalences, EachSaysHowSureAndWhence) {
  for (const Equivalence& thing : Of(Joules(5), GramsCo2e(5))) {
    EXPECT_GT(thing.count.low().value(), 0) << thing.what;
    EXPECT_GT(thing.count.sd(), 0.2 * thing.count.mid.value()) << thing.what;
    EXPECT_FALSE(thing.factor.source.empty()) << thing.what;
    EXPECT_TRUE(thing.factor.date.starts_with("20")) << thing.what;
  }
}

TEST(Equivalences, NothingIsNothing) {
  for (const Equivalence& thing : Of(Joules(0), GramsCo2e(0)))
    EXPECT_DOUBLE_EQ(thing.count.mid.value(), 0) << thing.what;
}

}  // namespace
}  // namespace modicum
