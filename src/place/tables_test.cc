// SPDX-License-Identifier: Apache-2.0
#include "place/tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include "base/csv.h"
#include "data/electricity_price.h"
#include "data/grid_intensity.h"
#include "data/water.h"
#include "place/embodied.h"

namespace modicum {
namespace {

bool IsState(const Region& region) { return region.code.starts_with("US-"); }

TEST(Regions, About220CountriesAndEveryState) {
  const auto states =
      std::count_if(Regions().begin(), Regions().end(), IsState);
  EXPECT_EQ(states, 51);  // with the District of Columbia
  EXPECT_GE(static_cast<long>(Regions().size()) - states, 205);
}

TEST(Regions, CodesAreUniqueAndWellFormed) {
  std::set<std::string> codes;
  std::set<std::string> alpha3;
  for (const Region& region : Regions()) {
    EXPECT_TRUE(codes.insert(region.code).second) << region.code;
    EXPECT_FALSE(region.name.empty()) << region.code;
    if (region.code == "world") continue;
    EXPECT_EQ(region.code.size(), IsState(region) ? 5 : 2) << region.code;
    EXPECT_TRUE(std::all_of(
        region.code.begin(), region.code.end(),
        [](unsigned char c) { return std::isupper(c) || c == '-'; }))
        << region.code;
    if (!IsState(region)) {
      EXPECT_TRUE(alpha3.insert(region.iso3).second) << region.iso3;
    }
  }
}

TEST(Regions, EveryRowResolvesByEachOfItsNames) {
  for (const Region& region : Regions()) {
    EXPECT_EQ(FindRegion(region.code), &region) << region.code;
    if (!region.iso3.empty()) {
      EXPECT_EQ(FindRegion(region.iso3), &region) << region.iso3;
    }
    // Georgia is a country before it is a state.
    if (region.code != "US-GA") {
      EXPECT_EQ(FindRegion(region.name), &region) << region.name;
    }
  }
  EXPECT_EQ(FindRegion("georgia")->code, "GE");
}

TEST(Regions, OtherNamesAndAnyCase) {
  EXPECT_EQ(FindRegion("uk")->code, "GB");
  EXPECT_EQ(FindRegion("us-ca")->name, "California");
  EXPECT_EQ(FindRegion("United States of America")->code, "US");
  EXPECT_EQ(FindRegion("WORLD")->code, "world");
  EXPECT_EQ(FindRegion("nowhere"), nullptr);
  EXPECT_EQ(FindRegion(""), nullptr);
}

TEST(Regions, IntensitiesArePhysical) {
  // Oil shale, the dirtiest fuel, burns at some 1,400 g/kWh; no grid emits
  // nothing over its life cycle.
  for (const Region& region : Regions()) {
    EXPECT_GT(region.intensity.value, 10) << region.code;
    EXPECT_LT(region.intensity.value, 1400) << region.code;
    EXPECT_GT(region.intensity.rel_sd, 0) << region.code;
    // Wider, and the interval would reach below zero.
    EXPECT_LT(region.intensity.rel_sd, 0.608) << region.code;
    EXPECT_TRUE(region.intensity.date.starts_with("202")) << region.code;
  }
}

// Published: Ember (in the tool's package), and EIA's own total of 2022 for
// states without much heat-and-power: 77,555 kt / 239,261 GWh = 324 g/kWh.
TEST(Regions, KnownFigures) {
  EXPECT_DOUBLE_EQ(FindRegion("FRA")->intensity.value, 44.18);
  EXPECT_DOUBLE_EQ(FindRegion("POL")->intensity.value, 614.98);
  EXPECT_DOUBLE_EQ(FindRegion("USA")->intensity.value, 383.55);
  EXPECT_DOUBLE_EQ(FindRegion("world")->intensity.value, 472.94);
  EXPECT_NEAR(FindRegion("US-PA")->intensity.value, 324, 1);
}

// The spread that the stand-ins' error rests on, before its cap of 0.6.
TEST(Regions, CountriesDifferByMoreThanTheStandInsError) {
  double sum = 0;
  double squares = 0;
  double n = 0;
  for (const Region& region : Regions()) {
    if (IsState(region) || region.code == "world" || region.code == "EU")
      continue;
    const double x = std::log(region.intensity.value);
    sum += x;
    squares += x * x;
    ++n;
  }
  const double sd = std::sqrt((squares - sum * sum / n) / (n - 1));
  EXPECT_NEAR(sd, 0.90, 0.02);
  EXPECT_GE(sd, FindRegion("world")->intensity.rel_sd);
}

TEST(Tables, WaterAndPricesNameKnownPlacesAndArePhysical) {
  const EmbeddedTable water(kWaterCsv);
  for (size_t i = 0; i < water.size(); ++i) {
    const std::string& code = water.at(i, "code");
    ASSERT_NE(FindRegion(code), nullptr) << code;
    EXPECT_EQ(FindRegion(code)->code, code);
    const Figure figure = FindWater(code).value();
    EXPECT_GT(figure.value, 0.5) << code;
    EXPECT_LT(figure.value, 20) << code;  // hydropower's reservoirs
    EXPECT_LT(figure.rel_sd, 0.608) << code;
  }
  const EmbeddedTable prices(kElectricityPriceCsv);
  for (size_t i = 0; i < prices.size(); ++i) {
    const std::string& code = prices.at(i, "code");
    ASSERT_NE(FindRegion(code), nullptr) << code;
    EXPECT_EQ(FindRegion(code)->code, code);
    const Price price = FindPrice(code).value();
    EXPECT_GT(price.per_kwh.value, 0.05) << code;
    EXPECT_LT(price.per_kwh.value, 0.5) << code;
    EXPECT_THAT(price.currency, testing::AnyOf("EUR", "USD"));
  }
  EXPECT_FALSE(FindPrice("world").has_value());
}

TEST(Tables, ProvidersAreUniqueAndPhysical) {
  std::set<std::string> names;
  for (const Provider& provider : Providers()) {
    EXPECT_TRUE(names.insert(provider.id).second) << provider.id;
    for (const std::string& alias : provider.aliases) {
      EXPECT_TRUE(names.insert(alias).second) << alias;
      EXPECT_EQ(FindProvider(alias), &provider);
    }
    EXPECT_GE(provider.pue.value, 1) << provider.id;
    EXPECT_LT(provider.pue.value, 2) << provider.id;
    // The interval must not promise less than the IT energy itself.
    EXPECT_GE(provider.pue.value * std::exp(-1.645 * provider.pue.rel_sd), 1)
        << provider.id;
    EXPECT_GE(provider.wue.value, 0) << provider.id;
    EXPECT_LT(provider.wue.value, 3) << provider.id;
  }
  EXPECT_TRUE(FindProvider("Google")->rented);
  EXPECT_FALSE(FindProvider("laptop")->rented);
}

TEST(Embodied, ClassesOfMachines) {
  EXPECT_EQ(DeviceClass("AMD EPYC 7763 64-Core Processor", false), "server");
  EXPECT_EQ(DeviceClass("Intel(R) Xeon(R) Gold 6152 CPU @ 2.10GHz", false),
            "server");
  EXPECT_EQ(
      DeviceClass("11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz", false),
      "laptop");
  EXPECT_EQ(DeviceClass("AMD Ryzen 7 5800U with Radeon Graphics", false),
            "laptop");
  for (const char* desktop :
       {"AMD Ryzen 9 7950X 16-Core Processor",
        "Intel(R) Core(TM) i7-8700 CPU @ 3.20GHz",
        "12th Gen Intel(R) Core(TM) i5-12400", "Intel(R) Core(TM) Ultra 9 285K",
        "AMD Ryzen 5 PRO 4650G with Radeon Graphics"})
    EXPECT_EQ(DeviceClass(desktop, false), "desktop") << desktop;
  for (const char* open : {"AMD Ryzen Threadripper 3970X 32-Core Processor",
                           "AMD Ryzen AI 9 HX 370", "Intel(R) Celeron(R) N5105",
                           "Intel(R) Core(TM)2 Duo CPU     E8400  @ 3.00GHz"})
    EXPECT_EQ(DeviceClass(open, false), "") << open;
  EXPECT_EQ(DeviceClass("", false), "");
  EXPECT_EQ(DeviceClass("", true), "server");
}

TEST(Embodied, FiguresAndFactors) {
  const auto server = FindEmbodied("server");
  ASSERT_TRUE(server.has_value());
  // Geometric mean of the published range 2,181 to 3,880 kg.
  EXPECT_NEAR(server->carbon.mid.value() / 1000, std::sqrt(2181.0 * 3880.0), 1);
  EXPECT_LT(server->carbon.low().value() / 1000, 2181);
  EXPECT_GT(server->carbon.high().value() / 1000, 3880);
  EXPECT_EQ(server->factors.size(), 2u);
  EXPECT_FALSE(FindEmbodied("").has_value());
  const auto desktop = FindEmbodied("desktop");
  ASSERT_TRUE(desktop.has_value());
  EXPECT_NEAR(desktop->carbon.mid.value() / 1000, std::sqrt(166.0 * 352.0), 1);
  EXPECT_LT(desktop->carbon.low().value() / 1000, 166);
  EXPECT_GT(desktop->carbon.high().value() / 1000, 352);
}

TEST(Embodied, GpusByTheDriversName) {
  const auto kg = [](std::string_view name) {
    const auto gpu = FindEmbodiedGpu(name);
    return gpu ? gpu->carbon.mid.value() / 1000 : 0;
  };
  // Geometric mean of 127.6 and 181 kg; an eighth of 1,312 kg.
  EXPECT_NEAR(kg("NVIDIA A100-SXM4-40GB"), std::sqrt(127.6 * 181), 1);
  EXPECT_EQ(kg("NVIDIA A100 80GB PCIe"), kg("NVIDIA A100-SXM4-40GB"));
  EXPECT_EQ(kg("NVIDIA H100 80GB HBM3"), 164);
  for (const char* none : {"", "gpu", "NVIDIA H100 PCIe", "NVIDIA RTX A1000",
                           "NVIDIA H200", "AMD GPU 0x74a1", "A100X"})
    EXPECT_EQ(kg(none), 0) << none;
  EXPECT_FALSE(FindEmbodied("A100").has_value());
}

}  // namespace
}  // namespace modicum
