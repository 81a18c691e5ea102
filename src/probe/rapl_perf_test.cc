// SPDX-License-Identifier: Apache-2.0
#include "probe/rapl_perf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/perf_event.h>

#include <map>

#include "hardware/machine.h"
#include "probe/patched_fs.h"
#include "probe/rapl.h"
#include "probe/test_machines.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kPmu[] = "/sys/bus/event_source/devices/power/";
constexpr double kScale = 2.3283064365386962890625e-10;  // joules, 2^-32

// What each event has counted on each CPU; none where it cannot be opened.
class FakePerf final : public PerfCounters {
 public:
  using Key = std::pair<uint64_t, int>;  // config, CPU
  class Reader final : public CountReader {
   public:
    Reader(const FakePerf& perf, Key key) : perf_(perf), key_(key) {}
    Result<uint64_t> Read() override {
      const auto found = perf_.counts.find(key_);
      if (found != perf_.counts.end()) return found->second;
      return Fail(ErrorCode::kEnded, "the perf event is off its CPU");
    }

   private:
    const FakePerf& perf_;
    const Key key_;
  };

  Result<std::unique_ptr<CountReader>> Open(uint32_t type, uint64_t config,
                                            int cpu) const override {
    EXPECT_EQ(type, 20U);
    if (denied)
      return Fail(ErrorCode::kPermission, "perf_event_open: Permission denied");
    if (!counts.contains({config, cpu}))
      return Fail(ErrorCode::kUnavailable, "perf_event_open: No such device");
    return std::unique_ptr<CountReader>(new Reader(*this, {config, cpu}));
  }
  void Draw(uint64_t config, int cpu, double joules) {
    counts[{config, cpu}] += static_cast<uint64_t>(joules / kScale);
  }

  std::map<Key, uint64_t> counts;
  bool denied = false;
};

class RaplPerfTest : public testing::Test {
 protected:
  RaplPerfTest() : fs_(RootOf("xeon-2s-rapl-dram")) {
    fs_.Put(std::string(kPmu) + "type", "20\n");
    fs_.Put(std::string(kPmu) + "cpumask", "0,18\n");
    AddEvent("energy-pkg", 2);
    AddEvent("energy-ram", 3);
    AddEvent("energy-cores", 1);
    for (const int cpu : {0, 18})
      for (const uint64_t config : {1U, 2U, 3U})
        perf_.counts[{config, cpu}] = 0;
  }
  void AddEvent(const std::string& name, int config) {
    const std::string path = std::string(kPmu) + "events/" + name;
    fs_.Put(path, "event=0x0" + std::to_string(config) + "\n");
    fs_.Put(path + ".scale", "2.3283064365386962890625e-10\n");
    fs_.Put(path + ".unit", "Joules\n");
  }
  Result<std::unique_ptr<Probe>> TryOpen() {
    return OpenRaplPerf({fs_, DetectHost(fs_), At(0)}, perf_);
  }
  std::unique_ptr<Probe> Open() {
    auto probe = TryOpen();
    EXPECT_TRUE(probe.has_value());
    return std::move(probe).value();
  }
  ProbeReport Report() { return ReportRaplPerf({fs_, DetectHost(fs_)}, perf_); }
  static std::vector<std::string> Counted(const Probe& probe) {
    std::vector<std::string> names;
    for (const Domain& domain : probe.domains())
      if (domain.counted) names.push_back(domain.name);
    return names;
  }

  PatchedFs fs_;
  FakePerf perf_;
};

TEST_F(RaplPerfTest, CountsPackagesAndDramInJoules) {
  const auto probe = Open();
  EXPECT_THAT(Counted(*probe),
              ElementsAre("package-0", "package-1", "dram-0", "dram-1"));
  EXPECT_EQ(probe->domains().size(), 6U);  // two of cores are shown
  perf_.Draw(2, 18, 55);
  const auto deltas = *probe->Read(At(1));
  EXPECT_EQ(deltas[0].energy.value(), 0);
  EXPECT_NEAR(deltas[1].energy.value(), 55, 1e-6);
}

// At 100 W the register of 32 bits below wraps in less: the kernel sees to
// that.
TEST_F(RaplPerfTest, AnHourBetweenReadingsIsNoGap) {
  const auto probe = Open();
  perf_.Draw(2, 0, 100.0 * 3600);
  const auto deltas = *probe->Read(At(3600));
  EXPECT_FALSE(deltas[0].gap);
  EXPECT_NEAR(deltas[0].energy.value(), 360'000, 1);
}

TEST_F(RaplPerfTest, DeniedItNamesWhatHelps) {
  fs_.Put("/proc/sys/kernel/perf_event_paranoid", "2\n");
  perf_.denied = true;
  const ProbeReport report = Report();
  EXPECT_FALSE(report.usable);
  EXPECT_EQ(report.reason,
            "perf_event_open: Permission denied (kernel.perf_event_paranoid is "
            "2)");
  EXPECT_THAT(report.cure, HasSubstr("cap_perfmon"));
  EXPECT_THAT(report.cure, HasSubstr("kernel.perf_event_paranoid=0"));
}

TEST_F(RaplPerfTest, HalfAMachineIsRefused) {
  perf_.counts.erase({2, 18});
  EXPECT_FALSE(TryOpen().has_value());
}

TEST_F(RaplPerfTest, APartThatCannotBeOpenedIsLeftOut) {
  perf_.counts.erase({1, 0});
  EXPECT_EQ(Open()->domains().size(), 5U);
}

// Its count begins at 0, dead or alive: powercap has to know.
TEST_F(RaplPerfTest, ThePlatformCountsOnlyWherePowercapSeesItMove) {
  AddEvent("energy-psys", 5);
  perf_.counts[{5, 0}] = 0;
  EXPECT_THAT(Counted(*Open()),
              ElementsAre("package-0", "package-1", "dram-0", "dram-1"));
  const std::string zone = "/sys/class/powercap/intel-rapl:2/";
  fs_.Put(zone + "name", "psys\n");
  fs_.Put(zone + "energy_uj", "12345\n");
  EXPECT_THAT(Counted(*Open()), ElementsAre("psys"));
}

TEST_F(RaplPerfTest, WhatTheKernelDoesNotDocumentIsRefused) {
  const auto bad = [this](const std::string& file, const std::string& text) {
    const auto saved = fs_.patches;
    fs_.Put(std::string(kPmu) + file, text);
    EXPECT_FALSE(TryOpen().has_value()) << file << " " << text;
    fs_.patches = saved;
  };
  for (const char* text : {"", "-1", "0,", "0-", "3-1", "0,x", "0-99999999"})
    bad("cpumask", text);
  for (const char* text : {"", "event=2", "event=0x", "event=0x2,umask=0x1"})
    bad("events/energy-pkg", text);
  for (const char* text : {"", "0", "-1e-10", "nan", "inf", "2", "1e-10 J"})
    bad("events/energy-pkg.scale", text);
  for (const char* text : {"", "x", "-1"}) bad("type", text);
}

TEST_F(RaplPerfTest, ARangeOfCpusIsReadToo) {
  fs_.Put(std::string(kPmu) + "cpumask", "0-1\n");
  for (const uint64_t config : {1U, 2U, 3U}) perf_.counts[{config, 1}] = 0;
  EXPECT_THAT(Counted(*Open()),
              ElementsAre("package-0", "package-1", "dram-0", "dram-1"));
}

TEST_F(RaplPerfTest, OneThatEndsAloneIsAGap) {
  const auto probe = Open();
  perf_.counts.erase({2, 18});
  const auto deltas = *probe->Read(At(1));
  EXPECT_FALSE(deltas[0].gap);
  EXPECT_TRUE(deltas[1].gap);
}

TEST_F(RaplPerfTest, TheReportHasUnitAndDomains) {
  const ProbeReport report = Report();
  EXPECT_TRUE(report.usable);
  EXPECT_EQ(report.covers, "package-0, package-1, dram-0, dram-1");
  EXPECT_EQ(report.reading,
            "counts of 0.233 nJ, 64 bits wide, a new value every 1 ms");
}

TEST_F(RaplPerfTest, OnARecordedMachineNothingIsOpened) {
  const auto probe = OpenRaplPerf({fs_, DetectHost(fs_), At(0)});
  ASSERT_FALSE(probe.has_value());
  EXPECT_THAT(probe.error().message, HasSubstr("recorded machine"));
}

// Of this kernel, a clock that it has without any hardware.
TEST(SystemPerfCounters, CountOrSayWhyNot) {
  const auto clock =
      SystemPerfCounters().Open(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, 0);
  if (!clock) {
    EXPECT_THAT(clock.error().code, testing::AnyOf(ErrorCode::kPermission,
                                                   ErrorCode::kUnavailable));
    EXPECT_THAT(clock.error().message, testing::StartsWith("perf_event_open"));
    return;
  }
  const auto first = (*clock)->Read();
  const auto second = (*clock)->Read();
  ASSERT_TRUE(first && second);
  EXPECT_LT(*first, *second);
}

TEST(SystemPerfCounters, AnUnknownUnitIsUnavailable) {
  const auto none = SystemPerfCounters().Open(0x7fffffff, 1, 0);
  ASSERT_FALSE(none.has_value());
  EXPECT_THAT(none.error().code,
              testing::AnyOf(ErrorCode::kPermission, ErrorCode::kUnavailable));
}

TEST_F(RaplPerfTest, DifferencesFromPowercapAreSaid) {
  const auto perf = Open();
  const auto powercap = OpenRapl({fs_, DetectHost(fs_), At(0)});
  ASSERT_TRUE(powercap.has_value());
  const auto read_zone = [this](const std::string& zone) {
    return *ReadUnsigned(fs_, "/sys/class/powercap/" + zone + "/energy_uj");
  };
  const auto draw = [&](const std::string& zone, double joules) {
    fs_.Put(
        "/sys/class/powercap/" + zone + "/energy_uj",
        std::to_string(read_zone(zone) + static_cast<uint64_t>(joules * 1e6)));
  };
  draw("intel-rapl:0", 50);
  draw("intel-rapl:1", 40);
  perf_.Draw(2, 0, 54);  // 7 % more
  perf_.Draw(2, 18, 60);
  EXPECT_EQ(CompareRapl(*perf, *perf->Read(At(1)), **powercap,
                        *(*powercap)->Read(At(1))),
            "package-1: 60 J by rapl-perf, 40 J by rapl");
}

}  // namespace
}  // namespace modicum
