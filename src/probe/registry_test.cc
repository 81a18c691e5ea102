// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "hardware/machine.h"
#include "probe/probe.h"
#include "probe/test_machines.h"

namespace modicum {
namespace {

using testing::ElementsAre;

std::vector<std::string> Chosen(const std::string& machine,
                                std::string_view only = "") {
  const RootFs fs(RootOf(machine));
  const auto probes = OpenProbes({fs, DetectHost(fs)}, only);
  std::vector<std::string> names;
  if (!probes) return {"error: " + probes.error().message};
  for (const auto& probe : *probes) names.emplace_back(probe->name());
  return names;
}

TEST(OpenProbes, PrefersTheCounterAndNeverAddsTheModelToIt) {
  EXPECT_THAT(Chosen("xeon-2s-rapl-dram"), ElementsAre("rapl"));
  EXPECT_THAT(Chosen("laptop-psys"), ElementsAre("rapl"));
}

TEST(OpenProbes, FallsBackToTheModel) {
  EXPECT_THAT(Chosen("epyc-no-rapl-vm"), ElementsAre("cpu-load"));
  EXPECT_THAT(Chosen("gpu-server-8x"), ElementsAre("cpu-load"));
}

TEST(OpenProbes, SensorsGoBeforeTheModelAndBesideTheCounters) {
  EXPECT_THAT(Chosen("epyc-amd-energy"), ElementsAre("hwmon"));
  EXPECT_THAT(Chosen("laptop-apu-battery"), ElementsAre("hwmon"));
  EXPECT_THAT(Chosen("desktop-arc"), ElementsAre("rapl", "hwmon"));
  EXPECT_THAT(Chosen("grace-hopper"), ElementsAre("hwmon"));
}

Calibration SomeCalibration() {
  Calibration calibration;
  calibration.host = "here";
  calibration.idle = Watts(40);
  calibration.per_cpu = Watts(10);
  calibration.ln_sd = 0.05;
  return calibration;
}

TEST(OpenProbes, TheLearnedModelGoesBeforeTheTypicalOne) {
  const RootFs fs(RootOf("epyc-no-rapl-vm"));
  const HostFacts host = DetectHost(fs);
  const auto probes =
      OpenProbes({fs, host, MonotonicTime{}, SomeCalibration()}, "");
  ASSERT_TRUE(probes.has_value());
  ASSERT_EQ(probes->size(), 1u);
  EXPECT_EQ(probes->front()->name(), "wall-load");
}

// The table that is broken is said where it is asked for, and else the typical
// model stands in.
TEST(OpenProbes, ABrokenCalibrationFailsItsSourceAlone) {
  const RootFs fs(RootOf("epyc-no-rapl-vm"));
  const HostFacts host = DetectHost(fs);
  const ProbeContext context{
      fs, host, MonotonicTime{},
      Fail(ErrorCode::kInvalidInput, "power.csv:2: no number", "anew")};
  EXPECT_EQ(OpenProbes(context, "").value().front()->name(), "cpu-load");
  const auto asked = OpenProbes(context, "wall-load");
  ASSERT_FALSE(asked.has_value());
  EXPECT_EQ(asked.error().message, "power.csv:2: no number");
}

std::vector<std::string> ChosenWithModels(const std::string& machine,
                                          std::vector<std::string> modelled,
                                          std::string_view only = "") {
  const RootFs fs(RootOf(machine));
  ProbeContext context{fs, DetectHost(fs)};
  context.modelled = std::move(modelled);
  const auto probes = OpenProbes(context, only);
  std::vector<std::string> names;
  if (!probes) return {"error: " + probes.error().message};
  for (const auto& probe : *probes) names.emplace_back(probe->name());
  return names;
}

const std::vector<std::string> kAllModels = {"ram", "disk", "network"};

TEST(OpenProbes, ModelsAreAddedWhereTheyAreAskedFor) {
  EXPECT_THAT(ChosenWithModels("epyc-no-rapl-vm", {}), ElementsAre("cpu-load"));
  EXPECT_THAT(ChosenWithModels("epyc-no-rapl-vm", {"disk"}),
              ElementsAre("cpu-load", "disk-model"));
  EXPECT_THAT(
      ChosenWithModels("epyc-no-rapl-vm", kAllModels),
      ElementsAre("cpu-load", "ram-model", "disk-model", "network-model"));
  EXPECT_THAT(ChosenWithModels("epyc-no-rapl-vm", {"ram"}, "cpu-load"),
              ElementsAre("cpu-load", "ram-model"));
}

// Where a counter has the memory or the whole machine, a model of it would
// count it twice. Networks are outside of all of them.
TEST(OpenProbes, ModelsNeverCountWhatASensorCounts) {
  EXPECT_THAT(ChosenWithModels("xeon-2s-rapl-dram", kAllModels),
              ElementsAre("rapl", "disk-model", "network-model"));
  EXPECT_THAT(ChosenWithModels("laptop-psys", kAllModels),
              ElementsAre("rapl", "network-model"));
  EXPECT_THAT(ChosenWithModels("grace-hopper", kAllModels),
              ElementsAre("hwmon"));
}

TEST(OpenProbes, TheLearnedMachineHoldsItsMemoryAndDisks) {
  const RootFs fs(RootOf("epyc-no-rapl-vm"));
  ProbeContext context{fs, DetectHost(fs), MonotonicTime{}, SomeCalibration()};
  context.modelled = kAllModels;
  const auto probes = OpenProbes(context, "");
  ASSERT_TRUE(probes.has_value());
  ASSERT_EQ(probes->size(), 2u);
  EXPECT_EQ((*probes)[0]->name(), "wall-load");
  EXPECT_EQ((*probes)[1]->name(), "network-model");
}

TEST(OpenProbes, AModelThatIsAskedForAndCannotBeReadIsAnError) {
  const RootFs fs(RootOf("epyc-no-rapl-vm"));
  HostFacts host = DetectHost(fs);
  host.ram = Bytes(0);
  ProbeContext context{fs, host};
  context.modelled = {"ram"};
  EXPECT_FALSE(OpenProbes(context, "").has_value());
}

TEST(OverlapsTest, AModuleHoldsNoDisks) {
  Domain disk, module, wall;
  disk.component = "disk";
  module.component = "module";
  wall.component = "wall";
  EXPECT_FALSE(Overlaps(disk, module));
  EXPECT_FALSE(Overlaps(module, disk));
  EXPECT_TRUE(Overlaps(disk, wall));
}

TEST(OverlapsTest, GpusAreToldApartByTheirDevice) {
  const auto domain = [](const char* component, const char* device = "") {
    Domain made;
    made.component = component;
    made.device = device;
    return made;
  };
  EXPECT_FALSE(
      Overlaps(domain("gpu", "nvml gpu-0"), domain("gpu", "0000:03:00.0")));
  EXPECT_TRUE(Overlaps(domain("gpu", "a"), domain("gpu", "a")));
  EXPECT_TRUE(Overlaps(domain("gpu"), domain("gpu", "a")));
  EXPECT_TRUE(Overlaps(domain("cpu"), domain("cpu")));
  EXPECT_FALSE(Overlaps(domain("cpu"), domain("gpu", "a")));
  for (const char* all : {"platform", "wall", "module"}) {
    EXPECT_TRUE(Overlaps(domain(all), domain("gpu", "a")));
    EXPECT_TRUE(Overlaps(domain("dram"), domain(all)));
  }
}

TEST(OpenProbes, TakesTheOneAskedFor) {
  EXPECT_THAT(Chosen("xeon-2s-rapl-dram", "cpu-load"), ElementsAre("cpu-load"));
  EXPECT_THAT(Chosen("epyc-no-rapl-vm", "rapl"),
              ElementsAre("error: no RAPL counters: /sys/class/powercap has no "
                          "package"));
}

TEST(OpenProbes, AnUnknownNameIsRefusedWithTheList) {
  const RootFs fs(RootOf("epyc-no-rapl-vm"));
  const auto probes = OpenProbes({fs, HostFacts{}}, "rapi");
  ASSERT_FALSE(probes.has_value());
  EXPECT_EQ(probes.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(probes.error().message,
              testing::StartsWith("unknown probe 'rapi'"));
  EXPECT_EQ(probes.error().hint,
            "probes: rapl-perf, rapl, rapl-msr, agent, nvml, amd-smi, hwmon, "
            "redfish, ipmi, battery, wall-load, "
            "cpu-load; "
            "'modicum doctor' says which can be used");
}

TEST(OpenProbes, NothingAtAllIsAnError) {
  const RootFs fs("/nonexistent");
  const auto probes = OpenProbes({fs, DetectHost(fs)}, "");
  ASSERT_FALSE(probes.has_value());
  EXPECT_EQ(probes.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(probes.error().message,
            "nothing here can be metered: cannot read /proc/stat: No such file "
            "or directory");
}

// On every recorded machine: no two counted domains overlap, and each kind
// says whether it can be used and, when not, why.
TEST(OpenProbes, CountedDomainsNeverOverlap) {
  for (const char* machine :
       {"epyc-no-rapl-vm", "xeon-2s-rapl-dram", "laptop-psys", "gpu-server-8x",
        "epyc-amd-energy", "laptop-apu-battery", "desktop-arc",
        "grace-hopper"}) {
    SCOPED_TRACE(machine);
    const RootFs fs(RootOf(machine));
    const HostFacts host = DetectHost(fs);
    ProbeContext everything{fs, host};
    everything.modelled = kAllModels;
    const auto probes = OpenProbes(everything, "");
    ASSERT_TRUE(probes.has_value());
    std::set<std::string> names;
    std::set<std::string> components;
    for (const auto& probe : *probes)
      for (const Domain& domain : probe->domains()) {
        if (!domain.counted) continue;
        EXPECT_TRUE(names.insert(domain.name).second) << domain.name;
        components.insert(domain.component);
      }
    EXPECT_FALSE(names.empty());
    if (components.contains("platform") || components.contains("module")) {
      EXPECT_EQ(components.size() - components.count("disk"), 1u);
    }
    EXPECT_FALSE(components.contains("network"));
    for (const ProbeKind& kind : ProbeKinds()) {
      const ProbeReport report = kind.report({fs, host});
      EXPECT_EQ(report.name, kind.name);
      EXPECT_EQ(report.usable, kind.open({fs, host}).has_value());
      if (report.usable)
        EXPECT_FALSE(report.covers.empty());
      else
        EXPECT_FALSE(report.reason.empty());
    }
  }
}

}  // namespace
}  // namespace modicum
