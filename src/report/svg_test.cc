// SPDX-License-Identifier: Apache-2.0
#include "report/svg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace modicum {
namespace {

using ::testing::DoubleNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

TEST(Scale, MapsLinearlyAndStopsAtTheEnds) {
  const Scale scale = Scale::Linear(10, 20, 100, 0);
  EXPECT_DOUBLE_EQ(scale(10), 100);
  EXPECT_DOUBLE_EQ(scale(15), 50);
  EXPECT_DOUBLE_EQ(scale(25), 0);
  EXPECT_DOUBLE_EQ(scale(-1e9), 100);
}

TEST(Scale, ADomainOfNoWidthIsWidened) {
  EXPECT_DOUBLE_EQ(Scale::Linear(5, 5, 0, 100)(5), 50);
  EXPECT_DOUBLE_EQ(Scale::Linear(0, 0, 0, 100)(0), 50);
  EXPECT_NEAR(Scale::Log(3, 3, 0, 100)(3), 50, 1e-9);
}

TEST(Scale, EqualRatiosAreEqualStepsOnALogScale) {
  const Scale scale = Scale::Log(1e-4, 1e5, 0, 100);
  EXPECT_NEAR(scale(1e-2) - scale(1e-3), scale(1e4) - scale(1e3), 1e-9);
  EXPECT_GT(scale(1e-4), 0);
  EXPECT_LT(scale(1e5), 100);
  EXPECT_DOUBLE_EQ(scale(0), 0);
  EXPECT_DOUBLE_EQ(scale(-1), 0);
}

TEST(Scale, TicksAreRoundInsideAndFew) {
  EXPECT_THAT(Scale::Linear(0.957, 0.996, 0, 1).Ticks(4),
              Pointwise(DoubleNear(1e-12), {0.96, 0.97, 0.98, 0.99}));
  EXPECT_THAT(Scale::Log(1e-3, 1e5, 0, 1).Ticks(5),
              Pointwise(DoubleNear(1e-9), {1e-2, 1.0, 1e2, 1e4}));
  EXPECT_THAT(Scale::Log(0.9, 40, 0, 1).Ticks(6),
              Pointwise(DoubleNear(1e-9), {1.0, 2.0, 5.0, 10.0, 20.0}));
  for (double high = 1.1; high < 1e12; high *= 3.7) {
    const Scale scale = Scale::Log(1, high, 0, 100);
    EXPECT_LE(scale.Ticks(5).size(), 6U) << high;
    EXPECT_GE(scale.Ticks(5).size(), 1U) << high;
    for (const double tick : scale.Ticks(5)) {
      EXPECT_GE(tick, scale.low() * 0.999);
      EXPECT_LE(tick, scale.high() * 1.001);
    }
  }
}

TEST(Svg, PositionsAreShortAndTextIsEscaped) {
  Svg svg("a < b", "c & d", 40);
  svg.Line(0, 1.5, 100.0 / 3, 2, "g");
  svg.Text(50, 10, "m", "<x>", -6);
  EXPECT_EQ(svg.Finish(),
            "<svg role=\"img\" height=\"40\" style=\"height:40px\">"
            "<title>a &lt; b</title><desc>c &amp; d</desc>\n"
            "<line x1=\"0%\" y1=\"1.5\" x2=\"33.33%\" y2=\"2\" class=\"g\"/>\n"
            "<text x=\"50%\" y=\"10\" dx=\"-6\" class=\"m\">&lt;x&gt;</text>\n"
            "</svg>\n");
}

TEST(Svg, TwoTextsForTwoWidthsUnlessTheyAreOne) {
  Svg svg("t", "d", 10);
  svg.Texts(0, 1, "m", "long text", "long…");
  svg.Texts(0, 2, "m", "same", "same");
  const std::string text = svg.Finish();
  EXPECT_THAT(text, HasSubstr("class=\"m w\">long text<"));
  EXPECT_THAT(text, HasSubstr("class=\"m n\">long…<"));
  EXPECT_THAT(text, HasSubstr("class=\"m\">same<"));
}

}  // namespace
}  // namespace modicum
