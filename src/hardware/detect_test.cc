// SPDX-License-Identifier: Apache-2.0
#include "hardware/detect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/fault_fs.h"
#include "hardware/machine.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string RootOf(const std::string& machine) {
  return std::string(MODICUM_SOURCE_DIR) + "/tests/roots/" + machine;
}

// A tree that a test writes itself.
class Tree {
 public:
  explicit Tree(const std::string& name)
      : root_(testing::TempDir() + "modicum_detect_" + name) {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  ~Tree() { std::filesystem::remove_all(root_); }
  Tree& Put(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return *this;
  }
  RootFs fs() const { return RootFs(root_); }

 private:
  std::string root_;
};

TEST(DetectHost, KvmGuestWithAMaskedName) {
  const HostFacts host = DetectHost(RootFs(RootOf("epyc-no-rapl-vm")));
  EXPECT_EQ(host.hostname, "vm");
  EXPECT_EQ(host.boot, "5f0e8c1a-7d0b-4a55-9c2e-1b7d3f1f2a10");
  EXPECT_EQ(host.os, "Linux-6.1.0-28-cloud-amd64-x86_64");
  EXPECT_EQ(host.cpu_model, "AMD EPYC Processor (family 25 model 1)");
  EXPECT_EQ(host.sockets, 1);
  EXPECT_EQ(host.cores, 2);
  EXPECT_EQ(host.logical_cpus, 2);
  EXPECT_DOUBLE_EQ(host.ram.value(), 8131072.0 * 1024);
  EXPECT_TRUE(host.virtual_machine);
  EXPECT_EQ(host.hypervisor, "KVM");
  EXPECT_THAT(host.gpus, IsEmpty());  // the virtual display is none
  EXPECT_EQ(host.governor, "");
}

TEST(DetectHost, TwoSocketServer) {
  const HostFacts host = DetectHost(RootFs(RootOf("xeon-2s-rapl-dram")));
  EXPECT_EQ(host.cpu_model, "Intel(R) Xeon(R) CPU E5-2620 v3 @ 2.40GHz");
  EXPECT_EQ(host.sockets, 2);
  EXPECT_EQ(host.cores, 12);
  EXPECT_EQ(host.logical_cpus, 24);
  EXPECT_FALSE(host.virtual_machine);
  EXPECT_EQ(host.governor, "performance");
  EXPECT_THAT(host.gpus, IsEmpty());  // the Matrox board controller is none
}

TEST(DetectHost, EightGpus) {
  const HostFacts host = DetectHost(RootFs(RootOf("gpu-server-8x")));
  EXPECT_EQ(host.gpus.size(), 8u);
  EXPECT_THAT(host.gpus, testing::Each("NVIDIA A100-SXM4-80GB"));
  EXPECT_EQ(host.sockets, 2);
  EXPECT_EQ(host.cores, 32);
}

TEST(DetectHost, LaptopGraphicsIsInThePackage) {
  const HostFacts host = DetectHost(RootFs(RootOf("laptop-psys")));
  EXPECT_THAT(host.gpus, ElementsAre("Intel GPU 0x9a49 (in the CPU package)"));
}

TEST(DetectHost, AnEmptyMachineKeepsDefaults) {
  const HostFacts host = DetectHost(RootFs("/nonexistent"));
  EXPECT_EQ(host.cpu_model, "unknown CPU");
  EXPECT_EQ(host.sockets, 1);
  EXPECT_EQ(host.cores, 1);
  EXPECT_EQ(host.logical_cpus, 1);
  EXPECT_EQ(host.ram.value(), 0);
  EXPECT_FALSE(host.virtual_machine);
}

// Whichever single read fails, the rest is still told.
TEST(DetectHost, SurvivesAnyOneFailedRead) {
  const std::string root = RootOf("gpu-server-8x");
  const FaultFs counting(root, 0, ErrorCode::kIo);
  DetectHost(counting);
  ASSERT_GT(counting.reads(), 20u);
  for (uint64_t nth = 1; nth <= counting.reads(); ++nth) {
    const HostFacts host = DetectHost(FaultFs(root, nth, ErrorCode::kIo));
    EXPECT_GE(host.sockets, 1);
    EXPECT_GE(host.cores, 1);
    EXPECT_GE(host.logical_cpus, 1);
    EXPECT_GE(host.gpus.size(), 7u) << "read " << nth;
  }
}

TEST(DetectHost, ArmNamesTheCoreAndTheBoard) {
  Tree tree("arm");
  tree.Put("/proc/cpuinfo",
           "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n\n"
           "processor\t: 1\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n")
      .Put("/sys/class/dmi/id/sys_vendor", "Amazon EC2\n")
      .Put("/sys/class/dmi/id/product_name", "m6g.large\n");
  for (const char* cpu : {"cpu0", "cpu1"}) {
    const std::string at = std::string("/sys/devices/system/cpu/") + cpu;
    tree.Put(at + "/topology/physical_package_id", "0\n")
        .Put(at + "/topology/core_id", std::string(1, cpu[3]) + "\n");
  }
  const HostFacts host = DetectHost(tree.fs());
  EXPECT_EQ(host.cpu_model, "ARM Neoverse-N1, Amazon EC2");
  EXPECT_EQ(host.hypervisor, "KVM");
  EXPECT_EQ(host.sockets, 1);
  EXPECT_EQ(host.cores, 2);
  EXPECT_EQ(host.logical_cpus, 2);
  EXPECT_THAT(host.os, testing::EndsWith("aarch64"));
}

TEST(DetectHypervisor, MetalInstancesAreNotGuests) {
  Tree tree("metal");
  tree.Put("/sys/class/dmi/id/sys_vendor", "Amazon EC2\n")
      .Put("/sys/class/dmi/id/product_name", "m7i.metal-24xl\n");
  EXPECT_EQ(DetectHypervisor(tree.fs(), CpuInfo{}), "");
}

TEST(DetectHypervisor, TheFlagAloneIsEnough) {
  CpuInfo cpu;
  cpu.hypervisor = true;
  EXPECT_EQ(DetectHypervisor(RootFs("/nonexistent"), cpu), "unknown");
}

TEST(UsableCpus, IsTheTightestOfAffinityAndQuotas) {
  Tree tree("quota");
  EXPECT_EQ(UsableCpus(tree.fs(), 8), 8);
  tree.Put("/proc/self/status", "Cpus_allowed_list:\t0-3,6\n");
  EXPECT_EQ(UsableCpus(tree.fs(), 8), 5);
  tree.Put("/proc/self/cgroup", "0::/user/job\n")
      .Put("/sys/fs/cgroup/user/job/cpu.max", "max 100000\n");
  EXPECT_EQ(UsableCpus(tree.fs(), 8), 5);
  tree.Put("/sys/fs/cgroup/user/cpu.max", "150000 100000\n");
  EXPECT_EQ(UsableCpus(tree.fs(), 8), 2);  // 1.5 CPUs keep two busy in part
}

TEST(UsableCpus, ReadsVersionOneGroups) {
  Tree tree("quota1");
  tree.Put("/proc/self/cgroup", "4:cpu,cpuacct:/docker\n1:memory:/x\n")
      .Put("/sys/fs/cgroup/cpu/docker/cpu.cfs_quota_us", "300000\n")
      .Put("/sys/fs/cgroup/cpu/docker/cpu.cfs_period_us", "100000\n")
      .Put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
      .Put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(UsableCpus(tree.fs(), 8), 3);
}

TEST(CountCpuList, CountsAndRefuses) {
  EXPECT_EQ(CountCpuList("0"), 1);
  EXPECT_EQ(CountCpuList("0-3,8,10-11"), 7);
  for (const char* bad : {"", "a", "3-1", "-1", "0-", "0,,1", "0-99999999"})
    EXPECT_EQ(CountCpuList(bad), std::nullopt) << bad;
}

TEST(NotCounted, NamesWhatNoProbeMeters) {
  const HostFacts host = DetectHost(RootFs(RootOf("gpu-server-8x")));
  EXPECT_THAT(
      NotCounted(host, {"cpu"}),
      ElementsAre("8 GPUs present (NVIDIA A100-SXM4-80GB), NOT COUNTED",
                  "DRAM, NOT COUNTED (--modelled ram adds a model of it)",
                  "power supply, fans, disks and network, NOT COUNTED"));
  EXPECT_EQ(NotCounted(host, {"cpu", "dram", "disk"}).back(),
            "power supply, fans and network, NOT COUNTED");
  std::vector<std::string> metered = {"cpu", "dram", "gpu"};
  EXPECT_EQ(NotCounted(host, metered).front(),
            "7 of 8 GPUs present (NVIDIA A100-SXM4-80GB), NOT COUNTED");
  metered.insert(metered.end(), 7, "gpu");
  EXPECT_THAT(
      NotCounted(host, metered),
      ElementsAre("power supply, fans, disks and network, NOT COUNTED"));
}

TEST(NotCounted, AModuleHoldsItsGpuAndMemory) {
  const HostFacts host = DetectHost(RootFs(RootOf("grace-hopper")));
  EXPECT_THAT(
      NotCounted(host, {"module"}),
      ElementsAre("power supply, fans, disks and network, NOT COUNTED"));
}

TEST(NotCounted, AnApusPackageHoldsItsGraphicsAndTheWallAll) {
  const HostFacts host = DetectHost(RootFs(RootOf("laptop-apu-battery")));
  EXPECT_THAT(host.gpus, ElementsAre("AMD GPU 0x1638 (in the CPU package)"));
  EXPECT_THAT(
      NotCounted(host, {"cpu", "dram"}),
      ElementsAre("power supply, fans, disks and network, NOT COUNTED"));
  EXPECT_TRUE(NotCounted(host, {"wall"}).empty());
  const HostFacts server = DetectHost(RootFs(RootOf("epyc-amd-energy")));
  EXPECT_THAT(server.gpus, ElementsAre("AMD GPU 0x740f", "AMD GPU 0x740f"));
}

TEST(NotCounted, TellsDifferentGpusApart) {
  HostFacts host;
  host.gpus = {"NVIDIA L4", "AMD GPU 0x740f", "NVIDIA L4"};
  EXPECT_EQ(NotCounted(host, {"platform"}).front(),
            "3 GPUs present (1 AMD GPU 0x740f, 2 NVIDIA L4), NOT COUNTED");
  host.gpus = {"NVIDIA L4"};
  EXPECT_EQ(NotCounted(host, {}).front(),
            "1 GPU present (NVIDIA L4), NOT COUNTED");
}

TEST(NotCounted, ThePackageHoldsItsGraphics) {
  const HostFacts host = DetectHost(RootFs(RootOf("laptop-psys")));
  EXPECT_THAT(
      NotCounted(host, {"platform"}),
      ElementsAre("power supply, fans, disks and network, NOT COUNTED"));
  EXPECT_EQ(NotCounted(host, {}).size(), 4u);
}

}  // namespace
}  // namespace modicum
