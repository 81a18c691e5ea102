// SPDX-License-Identifier: Apache-2.0
// Against libraries with the same symbols as AMD's, see fake_amd_smi.cc.
#include "probe/amd_smi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "hardware/machine.h"
#include "probe/hwmon.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kAmdSmi[] = MODICUM_BINARY_DIR "/bin/libfake-amd-smi.so";
constexpr char kRocmSmi[] = MODICUM_BINARY_DIR "/bin/libfake-rocm-smi.so";

class AmdSmi : public testing::Test {
 protected:
  void SetUp() override {
    root_ = testing::TempDir() + "modicum_amd_smi_" +
            testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
    setenv("FAKE_AMD_SMI", (root_ + "/gpus").c_str(), 1);
    Use(kAmdSmi);
  }
  void TearDown() override {
    unsetenv("FAKE_AMD_SMI");
    unsetenv("MODICUM_AMD_SMI");
    std::filesystem::remove_all(root_);
  }

  static void Use(const std::string& library) {
    setenv("MODICUM_AMD_SMI", library.c_str(), 1);
  }
  void Script(const std::string& text) const {
    std::ofstream(root_ + "/gpus") << text;
  }
  Result<std::unique_ptr<Probe>> TryOpen() const {
    const RootFs fs(root_);
    return OpenAmdSmi({fs, HostFacts{}});
  }
  std::unique_ptr<Probe> Open() const {
    auto probe = TryOpen();
    EXPECT_TRUE(probe.has_value()) << probe.error().message;
    return *std::move(probe);
  }
  ProbeReport Report() const {
    const RootFs fs(root_);
    return ReportAmdSmi({fs, HostFacts{}});
  }
  static MonotonicTime At(double seconds) {
    return MonotonicTime{} + Seconds(seconds);
  }
  static std::vector<std::string> Names(const Probe& probe) {
    std::vector<std::string> names;
    for (const Domain& domain : probe.domains()) names.push_back(domain.name);
    return names;
  }

  std::string root_;
};

// Each library alike: tests of what does not depend on which it is.
class BothLibraries : public AmdSmi,
                      public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    AmdSmi::SetUp();
    root_ += "x";  // parameters are numbered: one folder for all is enough
    std::filesystem::create_directories(root_);
    setenv("FAKE_AMD_SMI", (root_ + "/gpus").c_str(), 1);
    Use(GetParam());
  }
};

TEST_P(BothLibraries, CountsTheEnergyCounter) {
  Script("gpu 0000:29:00.0 740f\nenergy 1000\nunit 15.3\npower 90\n");
  const auto probe = Open();
  ASSERT_THAT(Names(*probe), ElementsAre("gpu-29:00.0"));
  const Domain& domain = probe->domains()[0];
  EXPECT_EQ(domain.component, "gpu");
  EXPECT_EQ(domain.device, "0000:29:00.0");
  EXPECT_EQ(domain.scope, Scope::kDevice);
  EXPECT_EQ(domain.origin, Origin::kCounter);
  Script("gpu 0000:29:00.0 740f\nenergy 2001000\nunit 15.3\npower 90\n");
  const auto deltas = *probe->Read(At(1));
  EXPECT_FALSE(deltas[0].gap);
  EXPECT_NEAR(deltas[0].energy.value(), 30.6, 1e-3);
}

TEST_P(BothLibraries, IntegratesPowerWhereThereIsNoCounter) {
  Script("gpu 0000:03:00.0 744c\npower 100\n");
  const auto probe = Open();
  EXPECT_EQ(probe->domains()[0].origin, Origin::kSensor);
  Script("gpu 0000:03:00.0 744c\npower 200\n");
  EXPECT_DOUBLE_EQ((*probe->Read(At(2)))[0].energy.value(), 300);
  EXPECT_EQ(probe->relative_errors().size(), 2U);
}

TEST_P(BothLibraries, AMeanIsTakenWhereNothingElseIsTold) {
  Script("gpu 0000:03:00.0 744c\nmean 50\n");
  const auto probe = Open();
  EXPECT_DOUBLE_EQ((*probe->Read(At(1)))[0].energy.value(), 50);
}

// Its counter is too slow by far.
TEST_P(BothLibraries, OfMi100ThePowerCounts) {
  Script("gpu 0000:03:00.0 738c\nenergy 56279\npower 35\n");
  EXPECT_EQ(Open()->domains()[0].origin, Origin::kSensor);
}

TEST_P(BothLibraries, ACounterAtZeroIsNoneButOfASecondDie) {
  Script("gpu 0000:03:00.0 73bf\nenergy 0\npower 35\n");
  EXPECT_EQ(Open()->domains()[0].origin, Origin::kSensor);
  Script(
      "gpu 0000:29:00.0 740c\nenergy 900\npower 300\n"
      "gpu 0000:2c:00.0 740c\nenergy 0\npower 0\n");
  const auto probe = Open();
  EXPECT_THAT(Names(*probe), ElementsAre("gpu-29:00.0", "gpu-2c:00.0"));
  Script(
      "gpu 0000:29:00.0 740c\nenergy 1000900\npower 300\n"
      "gpu 0000:2c:00.0 740c\nenergy 0\npower 0\n");
  const auto deltas = *probe->Read(At(1));
  EXPECT_NEAR(deltas[0].energy.value(), 15.3, 1e-3);
  EXPECT_EQ(deltas[1].energy, Joules(0));
  EXPECT_FALSE(deltas[1].gap);
  EXPECT_EQ(Report().reason,
            "gpu-2c:00.0 is the second die of a package: its energy is in the "
            "first one's");
}

// A GPU in partitions: the same energy, told several times.
TEST_P(BothLibraries, PartitionsAreOneGpu) {
  std::string script;
  for (const char* function : {"0", "1", "2", "3"})
    script += std::string("gpu 0000:05:00.") + function +
              " 74a1\nenergy 5000\npower 500\n";
  Script(script + "gpu 0000:15:00.0 74a1\nenergy 1\npower 500\n");
  EXPECT_THAT(Names(*Open()), ElementsAre("gpu-05:00.0", "gpu-15:00.0"));
}

TEST_P(BothLibraries, ACounterThatGoesBackIsAGap) {
  Script("gpu 0000:29:00.0 740f\nenergy 9000000\npower 90\n");
  const auto probe = Open();
  Script("gpu 0000:29:00.0 740f\nenergy 10\npower 90\n");
  EXPECT_TRUE((*probe->Read(At(1)))[0].gap);
  Script("gpu 0000:29:00.0 740f\nenergy 65545\npower 90\n");
  EXPECT_FALSE((*probe->Read(At(2)))[0].gap);
}

TEST_P(BothLibraries, WithoutAnyGpuThatIsSaid) {
  Script("");
  EXPECT_EQ(Report().reason,
            "the driver sees no GPU outside of a CPU's package");
}

TEST_P(BothLibraries, OneGpuThatCannotBeReadDoesNotHideTheOthers) {
  Script(
      "gpu 0000:03:00.0 744c\n"
      "gpu 0000:29:00.0 740f\nenergy 1000\npower 90\n");
  EXPECT_THAT(Names(*Open()), ElementsAre("gpu-29:00.0"));
  EXPECT_THAT(Report().reason,
              testing::AllOf(HasSubstr("gpu-03:00.0: "),
                             HasSubstr("not supported by this GPU")));
}

// Graphics in the CPU's package: hwmon's.
TEST_P(BothLibraries, AnApuIsLeftOut) {
  const std::string device = root_ + "/sys/bus/pci/devices/0000:03:00.0";
  std::filesystem::create_directories(device);
  std::ofstream(device + "/device") << "0x74a0\n";
  Script("gpu 0000:03:00.0 74a0\nenergy 1000\npower 90\n");
  EXPECT_FALSE(TryOpen().has_value());
}

INSTANTIATE_TEST_SUITE_P(AmdSmi, BothLibraries,
                         testing::Values(kAmdSmi, kRocmSmi));

// Where it stands in the answer depends on the version (6.2.1, 7.1.1).
TEST_F(AmdSmi, PowerIsReadAsTheVersionHasIt) {
  for (const char* version : {"version 24 6 3 0\n", "version 25 3 0\n"}) {
    Script(std::string(version) + "gpu 0000:03:00.0 744c\npower 100\nmean 7\n");
    EXPECT_DOUBLE_EQ((*Open()->Read(At(1)))[0].energy.value(), 100) << version;
    Script(std::string(version) + "gpu 0000:03:00.0 744c\nmean 70\n");
    EXPECT_DOUBLE_EQ((*Open()->Read(At(1)))[0].energy.value(), 70) << version;
    Script(std::string(version) + "gpu 0000:03:00.0 744c\n");
    EXPECT_FALSE(TryOpen().has_value());
  }
}

// Each call, failing for good: no crash, no energy made up, a reason given.
TEST_F(AmdSmi, EveryCallMayFail) {
  const std::string gpus =
      "gpu 0000:29:00.0 740f\nenergy 1000\npower 90\n"
      "gpu 0000:2c:00.0 744c\npower 90\nmean 80\n";
  for (const char* library : {kAmdSmi, kRocmSmi}) {
    Use(library);
    for (const char* call :
         {"amdsmi_init", "amdsmi_shut_down", "amdsmi_get_lib_version",
          "amdsmi_get_socket_handles", "amdsmi_get_processor_handles",
          "amdsmi_get_gpu_device_bdf", "amdsmi_get_gpu_id",
          "amdsmi_get_energy_count", "amdsmi_get_power_info", "rsmi_init",
          "rsmi_shut_down", "rsmi_num_monitor_devices", "rsmi_dev_pci_id_get",
          "rsmi_dev_id_get", "rsmi_dev_energy_count_get", "rsmi_dev_power_get",
          "rsmi_dev_power_ave_get"})
      for (const int code : {1, 2, 3, 4, 8, 9, 10, 18, 31, 34, 43, 99, -1}) {
        SCOPED_TRACE(std::string(call) + " " + std::to_string(code));
        Script("fail " + std::string(call) + " " + std::to_string(code) + "\n" +
               gpus);
        const ProbeReport report = Report();
        EXPECT_EQ(report.usable, !report.covers.empty());
        EXPECT_TRUE(report.usable || !report.reason.empty());
        const auto probe = TryOpen();
        ASSERT_EQ(probe.has_value(), report.usable);
        if (!probe) continue;
        const auto deltas = (*probe)->Read(At(1));
        if (!deltas) continue;
        for (const DomainDelta& delta : *deltas)
          EXPECT_LE(delta.energy, Joules(90.001));
      }
  }
}

TEST_F(AmdSmi, AFailedReadMakesTheNextOneAGap) {
  const std::string gpu = "gpu 0000:29:00.0 740f\nenergy 1000\npower 90\n";
  Script(gpu);
  const auto probe = Open();
  Script(gpu + "fail amdsmi_get_energy_count 30\n");
  const auto failed = probe->Read(At(1));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kRetry);
  EXPECT_EQ(failed.error().message, "amdsmi_get_energy_count: error 30");
  Script(gpu);
  EXPECT_TRUE((*probe->Read(At(2)))[0].gap);
  EXPECT_FALSE((*probe->Read(At(3)))[0].gap);
}

TEST_F(AmdSmi, TheFailingCallIsNamedWithItsCure) {
  Script("fail amdsmi_init 34\n");
  EXPECT_EQ(Report().reason, "amdsmi_init: the amdgpu driver is not loaded");
  EXPECT_THAT(Report().cure, HasSubstr("modprobe amdgpu"));
  Use(kRocmSmi);
  Script("fail rsmi_num_monitor_devices 4\n");
  const auto probe = TryOpen();
  ASSERT_FALSE(probe.has_value());
  EXPECT_EQ(probe.error().code, ErrorCode::kPermission);
}

TEST_F(AmdSmi, ALibraryThatIsNotThereOrNotAmds) {
  Use(root_ + "/none.so");
  EXPECT_THAT(Report().reason, HasSubstr("none.so"));
  EXPECT_THAT(Report().cure, HasSubstr("MODICUM_AMD_SMI"));
  Use("libm.so.6");
  EXPECT_EQ(Report().reason, "libm.so.6 is no management library of AMD's");
}

TEST_F(AmdSmi, ARecordedMachineIsNotMixedWithThisOne) {
  unsetenv("MODICUM_AMD_SMI");
  EXPECT_EQ(Report().reason, "no AMD GPU is here");
  const RootFs fs(root_);
  HostFacts host;
  host.gpus = {"AMD GPU 0x740f"};
  EXPECT_EQ(ReportAmdSmi({fs, host}).reason,
            "no AMD driver can be asked on a recorded machine");
}

// The same cards by hwmon: told apart by their PCI address.
TEST_F(AmdSmi, HwmonLeavesOutWhatIsCountedHere) {
  const RootFs fs(std::string(MODICUM_SOURCE_DIR) +
                  "/tests/roots/epyc-amd-energy");
  const HostFacts host = DetectHost(fs);
  Script("gpu 0000:29:00.0 740f\nenergy 1000\npower 90\n");
  const auto probes = OpenProbes({fs, host, At(0)}, "");
  ASSERT_TRUE(probes.has_value());
  std::vector<std::string> counted;
  for (const auto& probe : *probes)
    for (const Domain& domain : probe->domains())
      if (domain.counted)
        counted.push_back(std::string(probe->name()) + " " + domain.name);
  EXPECT_THAT(counted, testing::UnorderedElementsAre(
                           "amd-smi gpu-29:00.0", "hwmon gpu-2c:00.0",
                           "hwmon package-0", "hwmon package-1"));
}

TEST_F(AmdSmi, TheReportSaysWhatAndHow) {
  Script(
      "gpu 0000:29:00.0 740f\nenergy 1000\npower 90\n"
      "gpu 0000:2c:00.0 744c\npower 90\n");
  const ProbeReport report = Report();
  EXPECT_TRUE(report.usable);
  EXPECT_EQ(report.covers,
            "gpu-29:00.0 (energy counter), gpu-2c:00.0 (power, integrated)");
  EXPECT_EQ(report.reading, "by AMD SMI");
}

}  // namespace
}  // namespace modicum
