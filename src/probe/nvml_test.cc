// SPDX-License-Identifier: Apache-2.0
// Against a library with the same symbols as NVIDIA's, see fake_nvml.cc.
#include "probe/nvml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "hardware/machine.h"

namespace modicum {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kFakeLibrary[] = MODICUM_BINARY_DIR "/bin/libfake-nvml.so";

// A variable of the environment, for one test.
class Variable {
 public:
  Variable(std::string name, const std::string& value)
      : name_(std::move(name)) {
    setenv(name_.c_str(), value.c_str(), 1);
  }
  ~Variable() { unsetenv(name_.c_str()); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  std::string name_;
};

class Nvml : public testing::Test {
 protected:
  void SetUp() override {
    // Whatever the caller's are.
    for (const char* name : {"CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER",
                             "NVIDIA_VISIBLE_DEVICES"})
      unsetenv(name);
    root_ = testing::TempDir() + "modicum_nvml_" +
            testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_ + "/proc/2");
    std::ofstream(root_ + "/proc/2/comm") << "kthreadd\n";
    setenv("FAKE_NVML", (root_ + "/gpus").c_str(), 1);
    setenv("MODICUM_NVML", kFakeLibrary, 1);
  }
  void TearDown() override {
    unsetenv("FAKE_NVML");
    unsetenv("MODICUM_NVML");
    std::filesystem::remove_all(root_);
  }

  void Script(const std::string& text) const {
    std::ofstream(root_ + "/gpus") << text;
  }
  RootFs fs() const { return RootFs(root_); }
  Result<std::unique_ptr<Probe>> TryOpen() const {
    return NvmlProbe::Open({RootFs(root_), HostFacts{}});
  }
  std::unique_ptr<Probe> Open() const {
    auto probe = TryOpen();
    EXPECT_TRUE(probe.has_value()) << probe.error().message;
    return *std::move(probe);
  }
  ProbeReport Report() const {
    return NvmlProbe::Report({RootFs(root_), HostFacts{}});
  }
  static MonotonicTime At(double seconds) {
    return MonotonicTime{} + Seconds(seconds);
  }

  std::string root_;
};

std::vector<std::string> DomainNames(const Probe& probe) {
  std::vector<std::string> names;
  for (const Domain& domain : probe.domains()) names.push_back(domain.name);
  return names;
}

TEST_F(Nvml, ReadsTheEnergyCounter) {
  Script("device NVIDIA L4\nenergy 5000\n");
  const auto probe = Open();
  ASSERT_EQ(probe->domains().size(), 1U);
  const Domain& domain = probe->domains()[0];
  EXPECT_EQ(domain.name, "gpu-0");
  EXPECT_EQ(domain.component, "gpu");
  EXPECT_EQ(domain.scope, Scope::kDevice);
  EXPECT_EQ(domain.origin, Origin::kCounter);
  EXPECT_TRUE(domain.counted);
  Script("device NVIDIA L4\nenergy 47500\n");
  const auto deltas = probe->Read(At(1));
  ASSERT_TRUE(deltas);
  EXPECT_FALSE((*deltas)[0].gap);
  EXPECT_DOUBLE_EQ((*deltas)[0].energy.value(), 42.5);
}

TEST_F(Nvml, IsNotReadFasterThanItChangesAndLosesNothing) {
  Script("device NVIDIA L4\nenergy 0\n");
  const auto probe = Open();
  Script("device NVIDIA L4\nenergy 1000\n");
  EXPECT_EQ((*probe->Read(At(0.01)))[0].energy, Joules(0));
  EXPECT_FALSE(probe->device_use()[0].asked);
  EXPECT_DOUBLE_EQ((*probe->Read(At(0.5)))[0].energy.value(), 1);
}

TEST_F(Nvml, IntegratesPowerWhereThereIsNoCounter) {
  Script("device Tesla P4\npower 20000\ninstant 30000\n");
  const auto probe = Open();
  EXPECT_EQ(probe->domains()[0].origin, Origin::kSensor);
  EXPECT_DOUBLE_EQ(probe->update_period().value(), 0.1);
  Script("device Tesla P4\npower 20000\ninstant 50000\n");
  // Trapezoid from 30 to 50 W: the instant power, not the mean.
  EXPECT_DOUBLE_EQ((*probe->Read(At(2)))[0].energy.value(), 80);
  EXPECT_DOUBLE_EQ((*probe->Read(At(3)))[0].energy.value(), 50);
}

TEST_F(Nvml, TheMeanOverASecondIsTheLastResort) {
  Script("device Tesla P4\npower 20000\n");
  const auto probe = Open();
  EXPECT_EQ(probe->domains()[0].origin, Origin::kSensor);
  EXPECT_DOUBLE_EQ(probe->update_period().value(), 1);
  EXPECT_DOUBLE_EQ((*probe->Read(At(2)))[0].energy.value(), 40);
}

// The module's counter holds the CPU, which has a source of its own.
TEST_F(Nvml, OnGraceHopperOnlyTheGpusOwnPowerCounts) {
  Script("device NVIDIA GH200 480GB\nenergy 5000\npower 9\ninstant 100000\n");
  const auto probe = Open();
  EXPECT_EQ(probe->domains()[0].origin, Origin::kSensor);
  EXPECT_DOUBLE_EQ((*probe->Read(At(1)))[0].energy.value(), 100);
  Script("device NVIDIA GH200 480GB\nenergy 5000\npower 9\n");
  EXPECT_FALSE(TryOpen());
}

TEST_F(Nvml, ACounterThatGoesBackIsAGapAndNoEnergy) {
  Script("device NVIDIA L4\nenergy 5000\n");
  const auto probe = Open();
  Script("device NVIDIA L4\nenergy 100\n");
  auto delta = (*probe->Read(At(1)))[0];
  EXPECT_TRUE(delta.gap);
  EXPECT_EQ(delta.energy, Joules(0));
  Script("device NVIDIA L4\nenergy 2100\n");
  delta = (*probe->Read(At(2)))[0];
  EXPECT_FALSE(delta.gap);
  EXPECT_DOUBLE_EQ(delta.energy.value(), 2);
}

TEST_F(Nvml, AJumpThatNoGpuCanDrawIsAGap) {
  Script("device NVIDIA L4\nenergy 0\n");
  const auto probe = Open();
  Script("device NVIDIA L4\nenergy 9000000\n");
  EXPECT_TRUE((*probe->Read(At(1)))[0].gap);
}

TEST_F(Nvml, AFailedReadMakesTheNextOneAGap) {
  Script(
      "device NVIDIA L4\nenergy 0\n"
      "fail nvmlDeviceGetTotalEnergyConsumption 999 2 only\n");
  const auto probe = Open();
  const auto failed = probe->Read(At(1));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kRetry);
  EXPECT_EQ(failed.error().message,
            "nvmlDeviceGetTotalEnergyConsumption: NVML error 999");
  EXPECT_TRUE((*probe->Read(At(2)))[0].gap);
  EXPECT_FALSE((*probe->Read(At(3)))[0].gap);
}

TEST_F(Nvml, ALostGpuEndsItsSourceAndLeavesTheOthers) {
  const std::string other = "device NVIDIA L4\nenergy 1000\n";
  Script("device NVIDIA L4\nenergy 0\n" + other);
  const auto probe = Open();
  Script(
      "device NVIDIA L4\nenergy 0\n"
      "fail nvmlDeviceGetTotalEnergyConsumption 15\n"
      "device NVIDIA L4\nenergy 3000\n");
  auto deltas = probe->Read(At(1));
  ASSERT_TRUE(deltas);
  EXPECT_TRUE((*deltas)[0].gap);
  EXPECT_DOUBLE_EQ((*deltas)[1].energy.value(), 2);
  // Not asked any more, though it would answer.
  Script("device NVIDIA L4\nenergy 90\n" + other);
  EXPECT_TRUE((*probe->Read(At(2)))[0].gap);

  Script(
      "device NVIDIA L4\ndevice NVIDIA L4\n"
      "fail nvmlDeviceGetTotalEnergyConsumption 15\n");
  const auto all = probe->Read(At(3));
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().code, ErrorCode::kEnded);
  EXPECT_EQ(all.error().message,
            "nvmlDeviceGetTotalEnergyConsumption: the GPU is lost");
}

TEST_F(Nvml, SaysWhichProcessKeptTheGpuBusy) {
  Script(
      "device NVIDIA L4\nenergy 0\nbusy 80\nprocess 11 60\nprocess 12 20\n"
      "process 13 0\n");
  const auto probe = Open();
  ASSERT_TRUE(probe->Read(At(2)));
  ASSERT_EQ(probe->device_use().size(), 1U);
  const DeviceUse use = probe->device_use()[0];
  ASSERT_TRUE(use.asked && use.busy && use.by_process && use.present);
  EXPECT_DOUBLE_EQ(use.busy->value(), 1.6);
  ASSERT_EQ(use.by_process->size(), 2U);
  EXPECT_EQ((*use.by_process)[0].pid, 11);
  EXPECT_DOUBLE_EQ((*use.by_process)[0].busy.value(), 1.2);
  EXPECT_THAT(*use.present, ElementsAre(11, 12, 13));
  // Soon after, there is nothing new to ask.
  ASSERT_TRUE(probe->Read(At(2.01)));
  EXPECT_FALSE(probe->device_use()[0].asked);
}

TEST_F(Nvml, ManyProcessesFit) {
  std::string script = "device NVIDIA L4\nenergy 0\n";
  for (int pid = 1; pid <= 100; ++pid)
    script += "process " + std::to_string(pid) + " 1\n";
  Script(script);
  const auto probe = Open();
  ASSERT_TRUE(probe->Read(At(1)));
  EXPECT_EQ(probe->device_use()[0].by_process->size(), 100U);
  EXPECT_EQ(probe->device_use()[0].present->size(), 100U);
}

TEST_F(Nvml, NoSampleForLongMeansThatNobodyWasBusy) {
  Script("device NVIDIA L4\nenergy 0\nbusy 0\n");
  const auto probe = Open();
  for (const double at : {0.5, 1.0, 1.5}) {
    ASSERT_TRUE(probe->Read(At(at)));
    EXPECT_THAT(*probe->device_use()[0].by_process, IsEmpty());
  }
  Script("device NVIDIA L4\nenergy 0\nprocess 11 50\n");
  ASSERT_TRUE(probe->Read(At(2.0)));
  // Of the half second since it was last known to be idle.
  EXPECT_DOUBLE_EQ((*probe->device_use()[0].by_process)[0].busy.value(), 0.25);
}

TEST_F(Nvml, ProcessesOfAContainerAreNotGuessed) {
  std::filesystem::remove_all(root_ + "/proc/2");
  Script("device NVIDIA L4\nenergy 0\nbusy 30\nprocess 11 60\n");
  const auto probe = Open();
  ASSERT_TRUE(probe->Read(At(1)));
  const DeviceUse use = probe->device_use()[0];
  EXPECT_FALSE(use.by_process);
  EXPECT_FALSE(use.present);
  EXPECT_EQ(use.unknown, "process ids here are not the host's");
  EXPECT_DOUBLE_EQ(use.busy->value(), 0.3);
  const ProbeReport report = Report();
  EXPECT_TRUE(report.usable);
  EXPECT_EQ(report.cure, "in a container: start it with --pid=host");
}

TEST_F(Nvml, WhatMayNotBeAskedIsNotKnown) {
  Script(
      "device NVIDIA L4\nenergy 0\nprocess 11 60\n"
      "fail nvmlDeviceGetProcessUtilization 4\n"
      "fail nvmlDeviceGetComputeRunningProcesses_v3 3\n");
  const auto probe = Open();
  ASSERT_TRUE(probe->Read(At(1)));
  const DeviceUse use = probe->device_use()[0];
  EXPECT_FALSE(use.by_process || use.present || use.busy);
  EXPECT_EQ(use.unknown, "nvmlDeviceGetProcessUtilization: permission denied");
}

// Each call, failing for good: no crash, no energy made up, a reason given.
TEST_F(Nvml, EveryCallMayFail) {
  const std::string gpu =
      "device NVIDIA L4\nuuid GPU-1\nenergy 0\npower 1000\ninstant 1000\n"
      "busy 10\nprocess 1 10\n";
  for (const char* call :
       {"nvmlInit_v2", "nvmlShutdown", "nvmlSystemGetDriverVersion",
        "nvmlDeviceGetCount_v2", "nvmlDeviceGetHandleByIndex_v2",
        "nvmlDeviceGetName", "nvmlDeviceGetUUID", "nvmlDeviceGetMigMode",
        "nvmlDeviceGetTotalEnergyConsumption", "nvmlDeviceGetPowerUsage",
        "nvmlDeviceGetFieldValues", "nvmlDeviceGetUtilizationRates",
        "nvmlDeviceGetComputeRunningProcesses_v3",
        "nvmlDeviceGetProcessUtilization"}) {
    for (const int code : {1, 2, 3, 4, 6, 7, 9, 15, 18, 20, 999}) {
      SCOPED_TRACE(std::string(call) + " " + std::to_string(code));
      Script("fail " + std::string(call) + " " + std::to_string(code) + "\n" +
             gpu);
      const ProbeReport report = Report();
      EXPECT_EQ(report.usable, !report.covers.empty());
      EXPECT_TRUE(report.usable || !report.reason.empty());
      const auto probe = TryOpen();
      ASSERT_EQ(probe.has_value(), report.usable);
      if (!probe) continue;
      for (int second = 1; second <= 3; ++second) {
        const auto deltas = (*probe)->Read(At(second));
        if (!deltas) continue;
        ASSERT_EQ(deltas->size(), (*probe)->domains().size());
        for (const DomainDelta& delta : *deltas)
          EXPECT_LE(delta.energy, Joules(1.0001));
      }
    }
  }
}

TEST_F(Nvml, TheFailingCallIsNamedWithItsCure) {
  Script("fail nvmlInit_v2 9\n");
  ProbeReport report = Report();
  EXPECT_FALSE(report.usable);
  EXPECT_EQ(report.reason, "nvmlInit_v2: the NVIDIA driver is not loaded");
  EXPECT_EQ(report.cure,
            "try: modprobe nvidia (in a container: start it with --gpus all)");
  Script("fail nvmlInit_v2 18\n");
  report = Report();
  EXPECT_EQ(report.reason,
            "nvmlInit_v2: the library and the loaded driver have different "
            "versions");
  EXPECT_EQ(report.cure,
            "reboot, or reload the driver: it was updated while in use");
  Script("driver 550\n");
  EXPECT_EQ(Report().reason, "the driver sees no GPU");
}

TEST_F(Nvml, EveryCodeSaysWhatToDoNext) {
  using enum ErrorCode;
  for (const int code : {1, 15, 16, 28})
    EXPECT_EQ(NvmlError(code, "call").code, kEnded) << code;
  for (const int code : {2, 3, 6, 8, 9, 12, 13, 14, 18, 22, 25, 26})
    EXPECT_EQ(NvmlError(code, "call").code, kUnavailable) << code;
  EXPECT_EQ(NvmlError(4, "call").code, kPermission);
  for (const int code : {5, 7, 10, 11, 17, 19, 20, 21, 23, 27, 999, -3})
    EXPECT_EQ(NvmlError(code, "call").code, kRetry) << code;
}

TEST_F(Nvml, ALibraryThatIsNotThereOrNotNvidias) {
  {
    const Variable other("MODICUM_NVML", root_ + "/none.so");
    const ProbeReport report = Report();
    EXPECT_FALSE(report.usable);
    EXPECT_THAT(report.reason,
                AllOf(HasSubstr("cannot load "), HasSubstr("none.so")));
    EXPECT_THAT(report.cure, HasSubstr("MODICUM_NVML"));
  }
  {
    std::ofstream(root_ + "/text.so") << "not a library";
    const Variable other("MODICUM_NVML", root_ + "/text.so");
    EXPECT_THAT(Report().reason, HasSubstr("cannot load "));
  }
  const Variable other("MODICUM_NVML", "libm.so.6");
  EXPECT_EQ(Report().reason, "libm.so.6 is not NVIDIA's management library");
}

TEST_F(Nvml, ARecordedMachineIsNotMixedWithThisOne) {
  unsetenv("MODICUM_NVML");
  EXPECT_EQ(Report().reason, "no NVIDIA GPU is here");
  HostFacts host;
  host.gpus = {"NVIDIA L4"};
  EXPECT_EQ(NvmlProbe::Report({fs(), host}).reason,
            "no NVIDIA driver can be asked on a recorded machine");
}

TEST_F(Nvml, ReportSaysWhatHowAndByWhichDriver) {
  Script(
      "driver 550.54.15\ndevice NVIDIA L4\nenergy 0\ndevice NVIDIA L4\n"
      "energy 0\ndevice Tesla P4\npower 1000\n");
  const ProbeReport report = Report();
  EXPECT_TRUE(report.usable);
  EXPECT_EQ(report.covers,
            "2 x NVIDIA L4 (energy counter), Tesla P4 (1 s mean power, "
            "integrated), driver 550.54.15");
  EXPECT_EQ(report.reason, "");
}

TEST_F(Nvml, ASplitGpuIsSaid) {
  Script("device NVIDIA A100\nenergy 0\nmig 1\n");
  EXPECT_EQ(Report().reason,
            "a GPU is split (MIG): its energy is that of all instances "
            "together");
}

TEST_F(Nvml, OneGpuThatCannotBeReadDoesNotHideTheOthers) {
  Script("device NVIDIA L4\ndevice NVIDIA L4\nenergy 0\n");
  const auto probe = Open();
  EXPECT_THAT(DomainNames(*probe), ElementsAre("gpu-1"));
  EXPECT_EQ(Report().reason,
            "GPU 0: nvmlDeviceGetPowerUsage: not supported by this GPU");
}

TEST_F(Nvml, OnlyVisibleGpusAreMetered) {
  Script(
      "device NVIDIA L4\nuuid GPU-aa\nenergy 0\n"
      "device NVIDIA L4\nuuid GPU-bb\nenergy 0\n");
  {
    const Variable visible("CUDA_VISIBLE_DEVICES", "1");
    EXPECT_THAT(DomainNames(*Open()), ElementsAre("gpu-1"));
    EXPECT_THAT(Report().covers, HasSubstr(", 1 of 2 visible"));
  }
  {
    const Variable visible("NVIDIA_VISIBLE_DEVICES", "GPU-aa");
    EXPECT_THAT(DomainNames(*Open()), ElementsAre("gpu-0"));
  }
  const Variable visible("CUDA_VISIBLE_DEVICES", "");
  EXPECT_EQ(Report().reason,
            "CUDA_VISIBLE_DEVICES or NVIDIA_VISIBLE_DEVICES hides every GPU");
}

// As CUDA reads the variable (CUDA C++ Programming Guide, environment
// variables), "x" for each visible GPU of four.
std::string Visible(const std::string& cuda, bool alike = true,
                    bool pci_order = false, const char* nvidia = nullptr) {
  const std::vector<NvmlGpu> gpus = {{"A", "GPU-11aa", false},
                                     {alike ? "A" : "B", "GPU-22bb", true},
                                     {"A", "GPU-22cc", false},
                                     {"A", "GPU-44dd", false}};
  NvmlOptions options;
  options.cuda_visible = cuda;
  options.pci_order = pci_order;
  if (nvidia != nullptr) options.nvidia_visible = nvidia;
  std::string text;
  for (const bool visible : VisibleGpus(gpus, options))
    text += visible ? 'x' : '.';
  return text;
}

TEST(VisibleGpus, AsCudaReadsTheList) {
  EXPECT_EQ(Visible("0,2"), "x.x.");
  EXPECT_EQ(Visible("3,0"), "x..x");
  EXPECT_EQ(Visible(""), "....");
  EXPECT_EQ(Visible("-1"), "....");
  EXPECT_EQ(Visible("NoDevFiles"), "....");
  EXPECT_EQ(Visible("1,9,0"), ".x..");  // up to the first that is none
  EXPECT_EQ(Visible("GPU-44dd"), "...x");
  EXPECT_EQ(Visible("GPU-11,GPU-44"), "x..x");
  EXPECT_EQ(Visible("MIG-GPU-22cc/1/0"), "..x.");
  EXPECT_EQ(Visible("MIG-5f1e"), ".x..");
  EXPECT_EQ(Visible("99999999999999999999"), "....");
}

TEST(VisibleGpus, NumbersOfUnlikeGpusNeedThePciOrder) {
  EXPECT_EQ(Visible("1", false), "xxxx");
  EXPECT_EQ(Visible("1", false, true), ".x..");
  EXPECT_EQ(Visible("GPU-44dd", false), "...x");
}

TEST(VisibleGpus, AContainersNumbersAreItsRuntimes) {
  EXPECT_EQ(Visible("0,3", true, false, "2"), "x..x");
  EXPECT_EQ(Visible("0,3", true, false, "all"), "x..x");
  EXPECT_EQ(Visible("0,3", true, false, "GPU-44dd,GPU-22cc"), "...x");
}

}  // namespace
}  // namespace modicum
