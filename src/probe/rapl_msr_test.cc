// SPDX-License-Identifier: Apache-2.0
#include "probe/rapl_msr.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probe/patched_fs.h"
#include "probe/rapl.h"
#include "probe/test_machines.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr uint64_t kIntelUnits = 0x606;
constexpr uint64_t kPackage = 0x611;
constexpr uint64_t kDram = 0x619;
constexpr uint64_t kCores = 0x639;
constexpr uint64_t kPlatform = 0x64D;
constexpr uint64_t kAmdUnits = 0xC001'0299;
constexpr uint64_t kAmdPackage = 0xC001'029B;
// Energy in 2^-14 J, 61 uJ; the other units are there too.
constexpr uint64_t kUnits14 = 0xA0E03;
constexpr double kCount14 = 0x1p-14;
constexpr double kCount16 = 0x1p-16;

class RaplMsrTest : public testing::Test {
 protected:
  // Two packages of two CPUs, numbered in turn.
  RaplMsrTest() {
    Processor("GenuineIntel", 6, 85);  // Skylake-SP
    for (int cpu = 0; cpu < 4; ++cpu) AddCpu(cpu, cpu % 2);
    for (const int cpu : {0, 1}) {
      Set(cpu, kIntelUnits, kUnits14);
      Set(cpu, kPackage, 1000);
      Set(cpu, kDram, 2000);
      Set(cpu, kCores, 500);
    }
  }
  void Processor(const std::string& vendor, int family, int model) {
    fs_.Put("/proc/cpuinfo", "processor\t: 0\nvendor_id\t: " + vendor +
                                 "\ncpu family\t: " + std::to_string(family) +
                                 "\nmodel\t\t: " + std::to_string(model) +
                                 "\nmodel name\t: a chip\n");
  }
  void AddCpu(int cpu, int package, int die = 0) {
    const std::string folder =
        "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    fs_.Put(folder + "physical_package_id", std::to_string(package) + "\n");
    fs_.Put(folder + "die_id", std::to_string(die) + "\n");
  }
  static std::string Device(int cpu) {
    return "/dev/cpu/" + std::to_string(cpu) + "/msr";
  }
  void Set(int cpu, uint64_t address, uint64_t word) {
    fs_.PutWord(Device(cpu), address, word);
  }
  void Amd() {
    fs_.words.clear();
    Processor("AuthenticAMD", 25, 1);
    for (const int cpu : {0, 1}) {
      Set(cpu, kAmdUnits, 0xA1003);  // 2^-16 J
      Set(cpu, kAmdPackage, 7);
    }
  }
  Result<std::unique_ptr<Probe>> TryOpen() {
    return OpenRaplMsr({fs_, host_, At(0)});
  }
  std::unique_ptr<Probe> Open() {
    auto probe = TryOpen();
    EXPECT_TRUE(probe.has_value()) << probe.error().message;
    return std::move(probe).value();
  }
  ProbeReport Report() { return ReportRaplMsr({fs_, host_, At(0)}); }
  static std::vector<std::string> Counted(const Probe& probe) {
    std::vector<std::string> names;
    for (const Domain& domain : probe.domains())
      if (domain.counted) names.push_back(domain.name);
    return names;
  }
  static Joules EnergyOf(const Probe& probe,
                         const std::vector<DomainDelta>& deltas,
                         std::string_view name) {
    for (size_t i = 0; i < deltas.size(); ++i)
      if (probe.domains()[i].name == name) return deltas[i].energy;
    ADD_FAILURE() << "no " << name;
    return Joules(-1);
  }

  PatchedFs fs_{"/nonexistent"};
  HostFacts host_;
};

TEST_F(RaplMsrTest, EveryPackageCountsByItsFirstCpu) {
  const auto probe = Open();
  EXPECT_THAT(Counted(*probe),
              ElementsAre("package-0", "dram-0", "package-1", "dram-1"));
  EXPECT_EQ(probe->domains().size(), 6U);  // the cores of each are shown
  Set(1, kPackage, 1000 + static_cast<uint64_t>(50 / kCount14));
  const auto deltas = *probe->Read(At(1));
  EXPECT_EQ(EnergyOf(*probe, deltas, "package-0"), Joules(0));
  EXPECT_NEAR(EnergyOf(*probe, deltas, "package-1").value(), 50, 1e-3);
}

// On these servers a count of DRAM is 15.3 uJ, whatever the units say.
TEST_F(RaplMsrTest, DramOfServersHasAUnitOfItsOwn) {
  const auto drawn = [this](int model) {
    Processor("GenuineIntel", 6, model);
    Set(0, kDram, 2000);
    const auto probe = Open();
    Set(0, kDram, 2000 + 65'536);
    return EnergyOf(*probe, *probe->Read(At(1)), "dram-0").value();
  };
  for (const int server : {63, 79, 85, 86, 87, 106, 108, 133})
    EXPECT_NEAR(drawn(server), 65'536 * kCount16, 1e-9) << server;
  for (const int other : {60, 94, 143, 158})
    EXPECT_NEAR(drawn(other), 65'536 * kCount14, 1e-9) << other;
}

TEST_F(RaplMsrTest, TheRegisterOf32BitsWrapsAndItsUpperHalfSaysNothing) {
  Set(0, kPackage, 0xABCD'0000'0000'0000ULL | 0xFFFF'FF00U);
  const auto probe = Open();
  Set(0, kPackage, 0x1234'0000'0000'0000ULL | 0x100U);
  const auto deltas = *probe->Read(At(1));
  EXPECT_FALSE(deltas[0].gap);
  EXPECT_NEAR(deltas[0].energy.value(), 0x200 * kCount14, 2 * kCount14);
}

TEST_F(RaplMsrTest, AResetIsAGap) {
  Set(0, kPackage, 0x8000'0000);
  const auto probe = Open();
  Set(0, kPackage, 5);  // as a wrap that would be 131 kJ in a second
  const auto deltas = *probe->Read(At(1));
  EXPECT_TRUE(deltas[0].gap);
  EXPECT_EQ(deltas[0].energy, Joules(0));
}

TEST_F(RaplMsrTest, AmdHasItsOwnRegisters) {
  Amd();
  const auto probe = Open();
  EXPECT_THAT(Counted(*probe), ElementsAre("package-0", "package-1"));
  Set(0, kAmdPackage, 7 + 65'536);
  EXPECT_NEAR((*probe->Read(At(1)))[0].energy.value(), 1, 1e-9);
}

TEST_F(RaplMsrTest, DiesCountForThemselvesOnIntelAlone) {
  for (int cpu = 0; cpu < 4; ++cpu) AddCpu(cpu, 0, cpu % 2);
  EXPECT_THAT(Counted(*Open()), ElementsAre("package-0-die-0", "dram-0-die-0",
                                            "package-0-die-1", "dram-0-die-1"));
  Amd();
  EXPECT_THAT(Counted(*Open()), ElementsAre("package-0"));
}

TEST_F(RaplMsrTest, ThePlatformHoldsTheOnePackageThereIs) {
  for (int cpu = 0; cpu < 4; ++cpu) AddCpu(cpu, 0);
  Processor("GenuineIntel", 6, 158);
  Set(0, kPlatform, 100);
  EXPECT_THAT(Counted(*Open()), ElementsAre("psys"));
  // A board without the sensor.
  Set(0, kPlatform, 0);
  EXPECT_THAT(Counted(*Open()), ElementsAre("package-0", "dram-0"));
}

TEST_F(RaplMsrTest, OfSeveralSocketsThePlatformIsOnlyShown) {
  Processor("GenuineIntel", 6, 143);  // Sapphire Rapids: a count is 1 J
  Set(0, kPlatform, 100);
  const auto probe = Open();
  EXPECT_THAT(Counted(*probe),
              ElementsAre("package-0", "dram-0", "package-1", "dram-1"));
  Set(0, kPlatform, 400);
  EXPECT_EQ(EnergyOf(*probe, *probe->Read(At(1)), "psys"), Joules(300));
}

TEST_F(RaplMsrTest, AVirtualMachinesZeroIsNoCounter) {
  host_.virtual_machine = true;
  Set(0, kPackage, 0);
  ProbeReport report = Report();
  EXPECT_FALSE(report.usable);
  EXPECT_EQ(report.reason, "the counter of package 0 reads 0");
  EXPECT_THAT(report.cure, HasSubstr("virtual machines"));
  Set(0, kPackage, 5);
  Set(0, kIntelUnits, 0);
  EXPECT_FALSE(TryOpen().has_value());
}

TEST_F(RaplMsrTest, HalfAMachineIsRefused) {
  fs_.words.erase({Device(1), kPackage});
  const ProbeReport report = Report();
  EXPECT_FALSE(report.usable);
  EXPECT_EQ(report.reason, "cannot read /dev/cpu/1/msr: Input/output error");
}

TEST_F(RaplMsrTest, WithoutTheDriverTheModuleIsNamed) {
  fs_.patches.erase(Device(0));
  ProbeReport report = Report();
  EXPECT_EQ(report.reason,
            "cannot read /dev/cpu/0/msr: No such file or directory");
  EXPECT_EQ(report.cure, "try: modprobe msr");
  fs_.patches.erase(Device(1));
  report = Report();
  EXPECT_EQ(report.reason, "no registers can be read: there is no /dev/cpu");
  EXPECT_EQ(report.cure, "try: modprobe msr");
  host_.virtual_machine = true;
  EXPECT_THAT(Report().cure, HasSubstr("virtual machines"));
}

TEST_F(RaplMsrTest, DeniedItNamesWhatIsMissing) {
  fs_.Break(Device(0), ErrorCode::kPermission);
  const auto probe = TryOpen();
  ASSERT_FALSE(probe.has_value());
  EXPECT_EQ(probe.error().code, ErrorCode::kPermission);
  EXPECT_THAT(probe.error().hint, HasSubstr("CAP_SYS_RAWIO"));
}

TEST_F(RaplMsrTest, OtherProcessorsHaveNone) {
  for (const auto& [vendor, family, model] :
       std::vector<std::tuple<const char*, int, int>>{
           {"GenuineIntel", 6, 55},  // Silvermont's units are others
           {"GenuineIntel", 15, 6},
           {"CentaurHauls", 7, 11},
           {"", 6, 85}}) {
    Processor(vendor, family, model);
    EXPECT_EQ(Report().reason,
              "no registers of RAPL are known of this processor");
  }
}

TEST_F(RaplMsrTest, WithoutTopologyThereAreNoPackages) {
  std::erase_if(fs_.patches, [](const auto& file) {
    return file.first.find("topology") != std::string::npos;
  });
  EXPECT_THAT(Report().reason, HasSubstr("tells no CPU's package"));
}

TEST_F(RaplMsrTest, AFailedReadIsAGapAndTheNextOneToo) {
  const auto probe = Open();
  fs_.words.erase({Device(0), kPackage});
  EXPECT_TRUE((*probe->Read(At(1)))[0].gap);
  Set(0, kPackage, 90'000);
  EXPECT_TRUE((*probe->Read(At(2)))[0].gap);
  EXPECT_FALSE((*probe->Read(At(3)))[0].gap);
}

TEST_F(RaplMsrTest, TheReportHasUnitAndDomains) {
  const ProbeReport report = Report();
  EXPECT_TRUE(report.usable);
  EXPECT_EQ(report.covers, "package-0, dram-0, package-1, dram-1");
  EXPECT_EQ(report.reading,
            "counts of 61 uJ, 32 bits wide, a new value every 1 ms");
}

TEST_F(RaplMsrTest, DifferencesFromAnotherWayAreSaid) {
  const auto one = Open();
  const auto other = Open();
  const auto by_one = *one->Read(At(1));
  Set(0, kPackage, 1000 + static_cast<uint64_t>(50 / kCount14));
  const auto by_other = *other->Read(At(1));
  EXPECT_THAT(CompareRapl(*one, by_one, *other, by_other),
              HasSubstr("package-0: 0 J by rapl-msr, 50 J by rapl-msr"));
}

}  // namespace
}  // namespace modicum
