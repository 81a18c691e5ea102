// SPDX-License-Identifier: Apache-2.0
#include "probe/hwmon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hardware/machine.h"
#include "probe/patched_fs.h"
#include "probe/test_machines.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kHwmon[] = "/sys/class/hwmon/";

std::unique_ptr<Probe> OpenOrDie(const RootFs& fs,
                                 std::vector<Domain> counted = {}) {
  auto probe = OpenHwmon(
      {fs, DetectHost(fs), At(0), std::optional<Calibration>(), counted});
  EXPECT_TRUE(probe.has_value());
  return std::move(probe).value();
}

std::vector<std::string> Names(const Probe& probe, bool counted) {
  std::vector<std::string> names;
  for (const Domain& domain : probe.domains())
    if (domain.counted == counted) names.push_back(domain.name);
  return names;
}

const Domain& Find(const Probe& probe, std::string_view name) {
  for (const Domain& domain : probe.domains())
    if (domain.name == name) return domain;
  ADD_FAILURE() << name;
  return probe.domains()[0];
}

DomainDelta DeltaOf(Probe& probe, std::string_view name, MonotonicTime now) {
  const auto deltas = probe.Read(now);
  for (size_t i = 0; deltas && i < deltas->size(); ++i)
    if (probe.domains()[i].name == name) return (*deltas)[i];
  ADD_FAILURE() << name;
  return {};
}

Domain Counted(std::string name, std::string component,
               std::string device = "") {
  Domain domain;
  domain.name = std::move(name);
  domain.component = std::move(component);
  domain.device = std::move(device);
  return domain;
}

// --- AMD's CPUs and GPUs -------------------------------------------------

TEST(Hwmon, SocketsAndGpusCountAndCoresAreShown) {
  const RootFs fs(RootOf("epyc-amd-energy"));
  const auto probe = OpenOrDie(fs);
  EXPECT_THAT(Names(*probe, true), ElementsAre("gpu-29:00.0", "gpu-2c:00.0",
                                               "package-0", "package-1"));
  EXPECT_THAT(Names(*probe, false),
              ElementsAre("ecore000", "ecore001", "ecore002", "ecore003"));
  const Domain& socket = Find(*probe, "package-1");
  EXPECT_EQ(socket.component, "cpu");
  EXPECT_EQ(socket.origin, Origin::kCounter);
  EXPECT_EQ(socket.scope, Scope::kPackage);
  const Domain& gpu = Find(*probe, "gpu-29:00.0");
  EXPECT_EQ(gpu.component, "gpu");
  EXPECT_EQ(gpu.device, "0000:29:00.0");
  EXPECT_EQ(gpu.origin, Origin::kSensor);
  EXPECT_EQ(gpu.scope, Scope::kDevice);
}

TEST(Hwmon, CountersAreMicrojoulesAndSensorsAreIntegrated) {
  PatchedFs fs(RootOf("epyc-amd-energy"));
  const auto probe = OpenOrDie(fs);
  fs.Put(std::string(kHwmon) + "hwmon2/energy6_input",
         std::to_string(87654321098 + 90'000'000));
  EXPECT_DOUBLE_EQ(DeltaOf(*probe, "package-1", At(1)).energy.value(), 90);
  // From 41 W to 61 W over two seconds.
  fs.Put(std::string(kHwmon) + "hwmon10/power1_average", "41000000\n");
  EXPECT_DOUBLE_EQ(DeltaOf(*probe, "gpu-29:00.0", At(2)).energy.value(), 41);
  fs.Put(std::string(kHwmon) + "hwmon10/power1_average", "61000000\n");
  EXPECT_DOUBLE_EQ(DeltaOf(*probe, "gpu-29:00.0", At(4)).energy.value(), 102);
}

TEST(Hwmon, ACounterOf64BitsThatGoesBackIsAGap) {
  PatchedFs fs(RootOf("epyc-amd-energy"));
  const auto probe = OpenOrDie(fs);
  fs.Put(std::string(kHwmon) + "hwmon2/energy6_input", "1000");
  const DomainDelta delta = DeltaOf(*probe, "package-1", At(1));
  EXPECT_TRUE(delta.gap);
  EXPECT_EQ(delta.energy.value(), 0);
}

TEST(Hwmon, AFailedReadOfASensorIsAGapUntilTwoGoodOnes) {
  PatchedFs fs(RootOf("epyc-amd-energy"));
  const auto probe = OpenOrDie(fs);
  const std::string file = std::string(kHwmon) + "hwmon10/power1_average";
  fs.Break(file, ErrorCode::kIo);
  EXPECT_TRUE(DeltaOf(*probe, "gpu-29:00.0", At(1)).gap);
  fs.Put(file, "50000000");
  EXPECT_TRUE(DeltaOf(*probe, "gpu-29:00.0", At(2)).gap);
  EXPECT_DOUBLE_EQ(DeltaOf(*probe, "gpu-29:00.0", At(3)).energy.value(), 50);
}

TEST(Hwmon, AnImpossiblePowerStartsNoSpan) {
  PatchedFs fs(RootOf("epyc-amd-energy"));
  const auto probe = OpenOrDie(fs);
  const std::string file = std::string(kHwmon) + "hwmon10/power1_average";
  fs.Put(file, "4294967295000000");
  EXPECT_TRUE(DeltaOf(*probe, "gpu-29:00.0", At(1)).gap);
  fs.Put(file, "50000000");
  EXPECT_TRUE(DeltaOf(*probe, "gpu-29:00.0", At(2)).gap);
  EXPECT_FALSE(DeltaOf(*probe, "gpu-29:00.0", At(3)).gap);
}

// Counters of the CPUs go before, and take nothing from the GPUs.
TEST(Hwmon, WhatABetterSourceCountsIsShown) {
  const RootFs fs(RootOf("epyc-amd-energy"));
  const auto probe = OpenOrDie(fs, {Counted("package-0", "cpu")});
  EXPECT_THAT(Names(*probe, true), ElementsAre("gpu-29:00.0", "gpu-2c:00.0"));
}

TEST(Hwmon, GpusOfAnotherVendorAreOtherDevices) {
  const RootFs fs(RootOf("epyc-amd-energy"));
  const auto probe = OpenOrDie(
      fs, {Counted("package-0", "cpu"), Counted("gpu-0", "gpu", "nvml gpu-0")});
  EXPECT_THAT(Names(*probe, true), ElementsAre("gpu-29:00.0", "gpu-2c:00.0"));
}

TEST(Hwmon, HalfOfTheSocketsIsNotTheMachine) {
  PatchedFs fs(RootOf("epyc-amd-energy"));
  const std::string file = std::string(kHwmon) + "hwmon2/energy6_input";
  fs.Break(file, ErrorCode::kPermission);
  EXPECT_THAT(Names(*OpenOrDie(fs), true),
              ElementsAre("gpu-29:00.0", "gpu-2c:00.0"));
  const ProbeReport report = ReportHwmon({fs, DetectHost(fs)});
  EXPECT_TRUE(report.usable);
  EXPECT_THAT(report.reason, HasSubstr("Permission denied"));
  EXPECT_THAT(report.cure, HasSubstr("sudo chgrp energy " + file));
}

TEST(Hwmon, TheReportSaysUnitAndPeriod) {
  const RootFs fs(RootOf("epyc-amd-energy"));
  const ProbeReport report = ReportHwmon({fs, DetectHost(fs)});
  EXPECT_TRUE(report.usable);
  EXPECT_EQ(report.covers,
            "gpu-29:00.0 (amdgpu), gpu-2c:00.0 (amdgpu), package-0 "
            "(amd_energy), package-1 (amd_energy)");
  EXPECT_EQ(report.reading,
            "microwatts, integrated; a new value every 100 ms or as it turns "
            "out; microjoules; a new value every 1.0 ms");
  EXPECT_EQ(report.reason, "");
}

// --- one socket of CPU and GPU -------------------------------------------

TEST(Hwmon, AnApusSensorIsOfThePackage) {
  const RootFs fs(RootOf("laptop-apu-battery"));
  const auto probe = OpenOrDie(fs);
  EXPECT_THAT(Names(*probe, true), ElementsAre("package (gpu-03:00.0)"));
  EXPECT_EQ(probe->domains()[0].component, "cpu");
  // Beside a counter of the package it would count twice.
  const auto none = OpenHwmon({fs,
                               DetectHost(fs),
                               At(0),
                               std::optional<Calibration>(),
                               {Counted("package-0", "cpu")}});
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, ErrorCode::kUnavailable);
}

// Its hwmon folder is a battery's: power_supply reads that.
TEST(Hwmon, ABatteryIsNoSensorOfTheBoard) {
  const RootFs fs(RootOf("laptop-apu-battery"));
  EXPECT_THAT(Names(*OpenOrDie(fs), false), IsEmpty());
}

// --- Intel's GPUs --------------------------------------------------------

TEST(Hwmon, TheCardHoldsItsPackage) {
  const RootFs fs(RootOf("desktop-arc"));
  const auto probe = OpenOrDie(fs);
  EXPECT_THAT(Names(*probe, true), ElementsAre("gpu-03:00.0"));
  EXPECT_THAT(Names(*probe, false), ElementsAre("gpu-03:00.0 pkg"));
}

TEST(Hwmon, GraphicsInTheCpusPackageIsNotCounted) {
  PatchedFs fs(RootOf("desktop-arc"));
  fs.Put(std::string(kHwmon) + "hwmon0/device/uevent",
         "DRIVER=i915\nPCI_SLOT_NAME=0000:00:02.0\n");
  const auto probe = OpenHwmon({fs, DetectHost(fs), At(0)});
  ASSERT_FALSE(probe.has_value());
  EXPECT_THAT(probe.error().message, HasSubstr("nothing else counts"));
}

// The driver keeps its count up from 32 bits: 262 kJ, at most 3 kW.
TEST(Hwmon, ASpanInWhichTheDriverMayMissAWrapIsAGap) {
  PatchedFs fs(RootOf("desktop-arc"));
  const auto probe = OpenOrDie(fs);
  const std::string file = std::string(kHwmon) + "hwmon0/energy1_input";
  fs.Put(file, std::to_string(5200123456 + 6'000'000'000));
  EXPECT_FALSE(DeltaOf(*probe, "gpu-03:00.0", At(60)).gap);
  fs.Put(file, std::to_string(5200123456 + 12'000'000'000));
  EXPECT_TRUE(DeltaOf(*probe, "gpu-03:00.0", At(160)).gap);
}

// --- ACPI meters ---------------------------------------------------------

TEST(Hwmon, AModuleHoldsItsGraceAndItsGpu) {
  const RootFs fs(RootOf("grace-hopper"));
  const auto probe = OpenOrDie(fs);
  EXPECT_THAT(Names(*probe, true), ElementsAre("module-0"));
  EXPECT_THAT(Names(*probe, false), ElementsAre("grace-0", "cpu-0", "sysio-0"));
  EXPECT_EQ(Find(*probe, "module-0").component, "module");
  EXPECT_DOUBLE_EQ(probe->update_period().value(), 0.05);
  EXPECT_DOUBLE_EQ(DeltaOf(*probe, "module-0", At(2)).energy.value(), 624);
}

TEST(Hwmon, BesideNvmlTheGraceCounts) {
  const RootFs fs(RootOf("grace-hopper"));
  const auto probe = OpenOrDie(fs, {Counted("gpu-0", "gpu", "nvml gpu-0")});
  EXPECT_THAT(Names(*probe, true), ElementsAre("grace-0"));
  EXPECT_EQ(Find(*probe, "grace-0").component, "cpu");
}

TEST(Hwmon, OneMeterIsTheMachineAndTwoAreNot) {
  PatchedFs fs("/nonexistent");
  const std::string chip = kHwmon;
  fs.Put(chip + "hwmon0/name", "power_meter\n");
  fs.Put(chip + "hwmon0/power1_average", "180000000\n");
  fs.Put(chip + "hwmon0/power1_average_interval", "1000\n");
  const auto one = OpenOrDie(fs);
  EXPECT_THAT(Names(*one, true), ElementsAre("power meter"));
  EXPECT_EQ(one->domains()[0].component, "platform");
  EXPECT_DOUBLE_EQ(one->update_period().value(), 1);
  fs.Put(chip + "hwmon1/name", "power_meter\n");
  fs.Put(chip + "hwmon1/power1_average", "90000000\n");
  const auto two = OpenHwmon({fs, DetectHost(fs), At(0)});
  ASSERT_FALSE(two.has_value());
  EXPECT_THAT(two.error().message,
              HasSubstr("power meter (hwmon1/power1_average)"));
}

// --- the board -----------------------------------------------------------

TEST(Hwmon, OfABoardsRailsTheInputCounts) {
  PatchedFs fs("/nonexistent");
  const std::string chip = kHwmon;
  for (const char* hwmon : {"hwmon0", "hwmon1"}) {
    fs.Put(chip + hwmon + "/name", "ina238\n");
    fs.Put(chip + hwmon + "/power1_input", "7000000\n");
  }
  EXPECT_FALSE(OpenHwmon({fs, DetectHost(fs), At(0)}));
  fs.Put(chip + "hwmon1/power1_label", "VDD_IN\n");
  const auto probe = OpenOrDie(fs);
  EXPECT_THAT(Names(*probe, true), ElementsAre("ina238 VDD_IN"));
  EXPECT_THAT(Names(*probe, false), ElementsAre("ina238 power1"));
  // Never beside anything that counts.
  fs.Put(chip + "hwmon2/name", "amdgpu\n");
  fs.Put(chip + "hwmon2/power1_average", "7000000\n");
  const auto beside = OpenOrDie(fs);
  EXPECT_THAT(Names(*beside, true), ElementsAre("gpu-hwmon2"));
  EXPECT_THAT(Names(*beside, false), IsEmpty());  // nor read: some are slow
}

TEST(Hwmon, ThePeriodIsLearnedFromChanges) {
  PatchedFs fs("/nonexistent");
  const std::string chip = std::string(kHwmon) + "hwmon0/";
  fs.Put(chip + "name", "ina226\n");
  fs.Put(chip + "power1_input", "7000000\n");
  const auto probe = OpenOrDie(fs);
  EXPECT_DOUBLE_EQ(probe->update_period().value(), 0.1);
  for (int tenth = 1; tenth <= 200; ++tenth) {
    fs.Put(chip + "power1_input", std::to_string(7'000'000 + tenth / 5));
    ASSERT_TRUE(probe->Read(At(tenth / 10.0)));
  }
  EXPECT_NEAR(probe->update_period().value(), 0.5, 1e-6);
}

TEST(Hwmon, NothingThere) {
  const RootFs fs(RootOf("epyc-no-rapl-vm"));
  const ProbeReport report = ReportHwmon({fs, DetectHost(fs)});
  EXPECT_FALSE(report.usable);
  EXPECT_EQ(report.reason, "no power or energy sensor in /sys/class/hwmon");
}

}  // namespace
}  // namespace modicum
