// SPDX-License-Identifier: Apache-2.0
#include "hardware/component_power.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/estimate.h"

namespace modicum {
namespace {

// The interval of a figure is its sources' range, by the program's own rule.
void ExpectIntervalIsRange(const PublishedFigure& figure) {
  const auto estimate =
      Exactly(Watts(figure.mid), Origin::kModelled, Scope::kPackage)
          .WithShared(InternSource("a test's"), figure.ln_sd);
  EXPECT_NEAR(estimate.low().value(), figure.low, 1e-9 * figure.low);
  EXPECT_NEAR(estimate.high().value(), figure.high, 1e-9 * figure.high);
}

TEST(PublishedFigures, MemorySpreadsTenfoldAcrossTools) {
  const PublishedFigure ram = FindFigure("ram", "", "W/GB");
  EXPECT_DOUBLE_EQ(ram.low, 0.0371);
  EXPECT_DOUBLE_EQ(ram.high, 0.392);
  EXPECT_GT(ram.high / ram.low, 10);
  EXPECT_NEAR(ram.mid, std::sqrt(0.0371 * 0.392), 1e-12);
  EXPECT_EQ(ram.sources.size(), 5u);
  ExpectIntervalIsRange(ram);
}

TEST(PublishedFigures, AGigabyteOnTheNetwork) {
  const PublishedFigure network = FindFigure("network", "", "kWh/GB");
  EXPECT_DOUBLE_EQ(network.low, 0.001);
  EXPECT_DOUBLE_EQ(network.high, 0.06);
  ExpectIntervalIsRange(network);
  // 0.06 of 2015, half every two years, in 2026.
  EXPECT_NEAR(0.06 * std::pow(0.5, (2026 - 2015) / 2.0), 0.0013, 5e-5);
}

TEST(PublishedFigures, EveryKindOfDiskHasItsFigures) {
  using Units = std::vector<std::string>;
  for (const auto& [kind, units] :
       {std::pair("hdd", Units{"W", "J/GB", "J/op"}),
        std::pair("ssd", Units{"W", "J/GB"}),
        std::pair("nvme", Units{"W", "J/GB"}),
        std::pair("virtual", Units{"W/TB", "J/GB"})}) {
    SCOPED_TRACE(kind);
    for (const std::string& unit : units) {
      const PublishedFigure figure = FindFigure("disk", kind, unit);
      EXPECT_GT(figure.low, 0) << unit;
      EXPECT_GT(figure.high, figure.low) << unit;
      ExpectIntervalIsRange(figure);
    }
  }
}

TEST(PublishedFigures, WhatIsInNoRowIsNone) {
  EXPECT_EQ(FindFigure("ram", "", "J/GB").mid, 0);
  EXPECT_EQ(FindFigure("disk", "tape", "W").ln_sd, 0);
  EXPECT_TRUE(FindFigure("tape", "", "W").sources.empty());
}

TEST(PublishedFigures, EachIsAFactorWithItsSourceAndDate) {
  const PublishedFigure ram = FindFigure("ram", "", "W/GB");
  EXPECT_EQ(ram.sources[0].name, "memory, Cloud Carbon Footprint");
  for (const Factor& factor : ram.sources) {
    EXPECT_EQ(factor.unit, "W/GB");
    EXPECT_FALSE(factor.source.empty()) << factor.name;
    EXPECT_EQ(factor.date.size(), 4u) << factor.name;
  }
}

}  // namespace
}  // namespace modicum
