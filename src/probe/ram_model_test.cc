// SPDX-License-Identifier: Apache-2.0
#include "probe/ram_model.h"

#include <gtest/gtest.h>

#include "hardware/component_power.h"
#include "probe/patched_fs.h"
#include "probe/test_machines.h"

namespace modicum {
namespace {

constexpr double kGib = 1024.0 * 1024 * 1024;

HostFacts HostWith(double gibibytes) {
  HostFacts host;
  host.ram = Bytes(gibibytes * kGib);
  return host;
}

TEST(RamModel, IsAConstantPowerByTheMemoryInstalled) {
  const PatchedFs fs("/nonexistent");
  const HostFacts host = HostWith(64);
  auto probe = OpenRamModel({fs, host, At(0)});
  ASSERT_TRUE(probe.has_value());
  const double watts = 64 * FindFigure("ram", "", "W/GB").mid;
  EXPECT_NEAR((*probe)->Read(At(10))->at(0).energy.value(), 10 * watts, 1e-9);
  EXPECT_NEAR((*probe)->Read(At(10.5))->at(0).energy.value(), watts / 2, 1e-9);
  EXPECT_NEAR((*probe)->idle_power()->mid.value(), watts, 1e-12);
  EXPECT_EQ((*probe)->observed().memory, host.ram);
  EXPECT_EQ((*probe)->domains()[0].component, "dram");
  EXPECT_EQ((*probe)->domains()[0].origin, Origin::kModelled);
}

// Tools say 0.037 to 0.392 W/GB: of 64 GB that is 2.4 to 25 W.
TEST(RamModel, ItsIntervalIsTheSpreadOfTheTools) {
  const PatchedFs fs("/nonexistent");
  const auto probe = OpenRamModel({fs, HostWith(64), At(0)});
  const auto power = (*probe)->idle_power();
  EXPECT_NEAR(power->low().value(), 64 * 0.0371, 1e-6);
  EXPECT_NEAR(power->high().value(), 64 * 0.392, 1e-6);
  EXPECT_EQ((*probe)->factors().size(), 5u);
}

TEST(RamModel, AContainerHasWhatItMayUse) {
  PatchedFs fs("/nonexistent");
  fs.Put("/sys/fs/cgroup/memory.max", "2147483648\n");
  EXPECT_EQ((*OpenRamModel({fs, HostWith(64), At(0)}))->observed().memory,
            Bytes(2 * kGib));
  fs.Put("/sys/fs/cgroup/memory.max", "max\n");
  EXPECT_EQ((*OpenRamModel({fs, HostWith(64), At(0)}))->observed().memory,
            Bytes(64 * kGib));
  // A limit beyond what there is.
  fs.Put("/sys/fs/cgroup/memory.max", "9223372036854771712\n");
  EXPECT_EQ((*OpenRamModel({fs, HostWith(64), At(0)}))->observed().memory,
            Bytes(64 * kGib));
}

TEST(RamModel, WithoutAFigureOfTheMemoryItIsRefused) {
  const PatchedFs fs("/nonexistent");
  const auto probe = OpenRamModel({fs, HostFacts{}, At(0)});
  ASSERT_FALSE(probe.has_value());
  EXPECT_EQ(probe.error().message,
            "how much memory is installed is not known: /proc/meminfo has no "
            "MemTotal");
  EXPECT_EQ(probe.error().hint, "mount /proc, or leave ram out of --modelled");
  const ProbeReport report = ReportRamModel({fs, HostFacts{}, At(0)});
  EXPECT_FALSE(report.usable);
  EXPECT_EQ(report.reason, probe.error().message);
}

}  // namespace
}  // namespace modicum
