// SPDX-License-Identifier: Apache-2.0
#include "hardware/chips.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "base/csv.h"
#include "hardware/load_curve.h"
#include "hardware/machine.h"

namespace modicum {
namespace {

std::string NameOf(std::string_view cpu_model) {
  const auto chip = FindChip(cpu_model);
  return chip ? chip->name : "";
}

std::string ReadData(const char* name) {
  std::ifstream in(std::string(MODICUM_SOURCE_DIR) + "/data/" + name);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(FindChip, KnowsTheNamesThatKernelsShow) {
  EXPECT_EQ(NameOf("Intel(R) Xeon(R) CPU E5-2620 v3 @ 2.40GHz"),
            "Intel Xeon E5-2620 v3");
  EXPECT_EQ(NameOf("Intel(R) Xeon(R) Platinum 8480+"),
            "Intel Xeon Platinum 8480+");
  EXPECT_EQ(NameOf("INTEL(R) XEON(R) PLATINUM 8581V CPU @ 2.00GHz"),
            "Intel Xeon Platinum 8581V");
  EXPECT_EQ(NameOf("AMD EPYC 7763 64-Core Processor"), "AMD EPYC 7763");
  EXPECT_EQ(NameOf("AMD Ryzen Threadripper 1950X 16-Core Processor"),
            "AMD Ryzen Threadripper 1950X");
  EXPECT_EQ(NameOf("11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz"),
            "Intel Core i7-1165G7");
  EXPECT_EQ(NameOf("Intel(R) Core(TM) Ultra 7 155H"),
            "Intel Core Ultra 7 155H");
  EXPECT_EQ(NameOf("ARM Neoverse-V2, NVIDIA"), "NVIDIA Grace");
}

TEST(FindChip, MatchesWholeWordsOnly) {
  // A "P" or a "+" makes it another chip.
  EXPECT_EQ(NameOf("AMD EPYC 9354P 32-Core Processor"), "AMD EPYC 9354P");
  EXPECT_EQ(NameOf("AMD EPYC 93540 Processor"), "");
  EXPECT_EQ(NameOf("Intel(R) Xeon(R) Platinum 8480"), "");
  EXPECT_EQ(NameOf("Intel(R) Xeon(R) Processor"), "");
  EXPECT_EQ(NameOf(""), "");
}

TEST(FindGeneration, ReadsMaskedCloudNames) {
  EXPECT_EQ(FindGeneration("Intel(R) Xeon(R) Processor (family 6 model 143)"),
            "Sapphire Rapids");
  EXPECT_EQ(FindGeneration("AMD EPYC (family 25 model 1)"), "Milan");
  EXPECT_EQ(
      FindGeneration("Intel(R) Xeon(R) CPU @ 2.20GHz (family 6 model 79)"),
      "Broadwell");
  EXPECT_EQ(FindGeneration("AMD EPYC-Rome Processor"), "Rome");
  EXPECT_EQ(FindGeneration("Intel Xeon Processor (Skylake, IBRS)"),
            "Skylake-SP");
  EXPECT_EQ(FindGeneration("ARM Neoverse-N1, Amazon EC2"), "Neoverse N1");
  // "model 17" must not be found in "model 173".
  EXPECT_EQ(FindGeneration("AMD (family 25 model 173)"), std::nullopt);
}

TEST(PowerOf, AKnownChipHasItsOwnPower) {
  HostFacts host;
  host.cpu_model = "AMD EPYC 7763 64-Core Processor";
  const CpuPower power = PowerOf(host);
  EXPECT_TRUE(power.chip_known);
  EXPECT_EQ(power.package_threads, 128);
  EXPECT_EQ(power.relative_sd, 0);
  EXPECT_DOUBLE_EQ(power.full.value(), 280 * TypicalLoadCurve().scale);
  EXPECT_LT(power.idle, power.full);
  EXPECT_EQ(power.source, "CodeCarbon 3.3.0");
}

TEST(PowerOf, MeasuredFullPowerWinsOverTdp) {
  HostFacts host;
  host.cpu_model = "AMD EPYC 8024P 8-Core Processor";
  EXPECT_DOUBLE_EQ(PowerOf(host).full.value(), 46.3);
}

TEST(PowerOf, AMaskedNameGetsItsGenerationAndAWiderError) {
  HostFacts host;
  host.virtual_machine = true;
  host.cpu_model = "Intel(R) Xeon(R) Processor (family 6 model 143)";
  const CpuPower power = PowerOf(host);
  EXPECT_FALSE(power.chip_known);
  EXPECT_EQ(power.chip, "Sapphire Rapids, average of 12 chips");
  EXPECT_GE(power.relative_sd, 0.15);
  // Of the chips it may be: 2.9 W (8490H) to 8.4 W (6444Y) TDP a thread.
  const double per_thread = power.full.value() / power.package_threads;
  EXPECT_GT(per_thread, 2.5 * TypicalLoadCurve().scale);
  EXPECT_LT(per_thread, 5.0 * TypicalLoadCurve().scale);
}

TEST(PowerOf, AnUnknownCpuGetsItsClass) {
  HostFacts server;
  server.virtual_machine = true;
  server.cpu_model = "Zhaoxin KH-40000";
  EXPECT_THAT(PowerOf(server).chip, testing::StartsWith("unknown server CPU"));
  HostFacts laptop;
  laptop.cpu_model = "Some Notebook CPU";
  laptop.logical_cpus = 4;
  const CpuPower power = PowerOf(laptop);
  EXPECT_THAT(power.chip, testing::StartsWith("unknown desktop or laptop CPU"));
  EXPECT_EQ(power.package_threads, 4);
  EXPECT_GT(power.relative_sd, 0.3);
}

// Every row of data/cpus.csv: sourced, plausible, found by its own name.
TEST(CpuTable, RowsArePlausibleSourcedAndFindThemselves) {
  const std::string csv = ReadData("cpus.csv");
  const EmbeddedTable table(csv);
  ASSERT_GT(table.size(), 400u);
  for (size_t row = 0; row < table.size(); ++row) {
    const std::string& name = table.at(row, "name");
    SCOPED_TRACE(name);
    const double cores = table.number(row, "cores").value();
    const double threads = table.number(row, "threads").value();
    const double tdp = table.number(row, "tdp_w").value();
    EXPECT_GE(threads, cores);
    EXPECT_LE(threads, 2 * cores);
    EXPECT_GT(tdp / threads, 0.9);
    EXPECT_LT(tdp / threads, 25);
    EXPECT_FALSE(table.at(row, "source").empty());
    EXPECT_FALSE(table.at(row, "date").empty());
    EXPECT_EQ(NameOf(table.at(row, "match")), name);
    const auto full = table.number(row, "full_w");
    if (full) {
      EXPECT_LE(*full, tdp);
    }
  }
}

TEST(CpuTable, EveryMaskedGenerationHasChips) {
  const std::string csv = ReadData("cpu_generations.csv");
  const EmbeddedTable table(csv);
  for (size_t row = 0; row < table.size(); ++row) {
    HostFacts host;
    host.virtual_machine = true;
    host.cpu_model = table.at(row, "match");
    EXPECT_THAT(PowerOf(host).chip,
                testing::StartsWith(table.at(row, "generation") + ", average"))
        << host.cpu_model;
    EXPECT_FALSE(table.at(row, "source").empty());
  }
}

}  // namespace
}  // namespace modicum
