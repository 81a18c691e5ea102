// SPDX-License-Identifier: Apache-2.0
#include "plan/sweep.h"

#include <gtest/gtest.h>

#include "place/place.h"

namespace modicum {
namespace {

TrainQuery Query() {
  TrainQuery query;
  query.model = FindArchitecture("llama-2-7b").value();
  query.chip = *FindAccelerator("a100-80").value();
  query.place = FindPlace({}).value();
  query.tokens = 2e12;
  return query;
}

SweepAxis Axis(std::string_view text) {
  auto axis = ParseSweep(text, TrainSweepNames());
  EXPECT_TRUE(axis) << axis.error().message;
  return axis.value_or(SweepAxis{});
}

TEST(Sweep, RangesDoubleStepOrAreListed) {
  EXPECT_EQ(Axis("count=64..1024").values,
            (std::vector<double>{64, 128, 256, 512, 1024}));
  EXPECT_EQ(Axis("count=64,96,1K").values, (std::vector<double>{64, 96, 1000}));
  const auto nine = Axis("tokens=1T..2T:9").values;
  ASSERT_EQ(nine.size(), 9);
  EXPECT_DOUBLE_EQ(nine.front(), 1e12);
  EXPECT_NEAR(nine.back(), 2e12, 1);
}

TEST(Sweep, BadRangesAreNamed) {
  const auto error = [](std::string_view text) {
    const auto axis = ParseSweep(text, TrainSweepNames());
    return axis ? "" : axis.error().message;
  };
  EXPECT_EQ(error("cuont=1..8"), "cannot sweep 'cuont', did you mean 'count'?");
  EXPECT_EQ(error("count=8..1"),
            "--sweep count=8..1 is no range of at most 20000 steps");
  EXPECT_EQ(error("count"), "--sweep count '' is not a number");
  EXPECT_EQ(error("count=1..x"), "--sweep count 'x' is not a number");
}

TEST(Sweep, EveryPointIsThePlanOfItsOwn) {
  TrainQuery query = Query();
  const std::vector<SweepAxis> axes{Axis("count=8..64"), Axis("tokens=1T,2T")};
  const auto points = SweepPoints(query, axes);
  ASSERT_EQ(points.size(), 8);
  query.count = 32;
  query.tokens = 2e12;
  const Plan plan = PlanTraining(query).value();
  const auto mid = [&plan](std::string_view key) {
    for (const PlanFigure& figure : plan.figures)
      if (figure.key == key) return figure.range.mid;
    return 0.0;
  };
  EXPECT_DOUBLE_EQ(mid("days"), points[5].figures.days.mid);
  EXPECT_DOUBLE_EQ(mid("memory_gb_per_gpu") * 1e9, points[5].memory);
}

TEST(Sweep, RefusesWhatAPlanRefuses) {
  EXPECT_FALSE(SweepTraining(Query(), {Axis("count=1..8")}, "dayz"));
  EXPECT_FALSE(
      SweepTraining(Query(), {Axis("count=1..8"), Axis("count=1..8")}, ""));
  EXPECT_FALSE(SweepTraining(
      Query(), {Axis("tokens=1T..2T:5000"), Axis("count=1..64")}, ""));
}

}  // namespace
}  // namespace modicum
