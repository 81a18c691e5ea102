// SPDX-License-Identifier: Apache-2.0
#include "probe/cpu_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "hardware/machine.h"
#include "probe/test_machines.h"

namespace modicum {
namespace {

using testing::HasSubstr;

// /proc/stat of a machine with `cpus` CPUs, in ticks.
std::string Stat(int cpus, uint64_t user, uint64_t steal = 0,
                 uint64_t idle = 1000) {
  std::string text = "cpu  " + std::to_string(user) + " 0 0 " +
                     std::to_string(idle) + " 7 0 0 " + std::to_string(steal) +
                     " 0 0\n";
  for (int i = 0; i < cpus; ++i)
    text += "cpu" + std::to_string(i) + " 0 0 0 0 0 0 0 0 0 0\n";
  return text + "intr 1\nctxt 2\n";
}

class StatFs final : public RootFs {
 public:
  StatFs() : RootFs("/nonexistent") {}
  Status ReadInto(std::string_view path, std::string& buffer) const override {
    if (path != "/proc/stat" || fail)
      return Fail(ErrorCode::kIo, "cannot read " + std::string(path));
    buffer = stat;
    return {};
  }
  std::string stat = Stat(2, 0);
  bool fail = false;
};

HostFacts Guest() {
  HostFacts host;
  host.cpu_model = "AMD EPYC 7763 64-Core Processor";
  host.virtual_machine = true;
  host.logical_cpus = 2;
  return host;
}

std::unique_ptr<Probe> OpenOrDie(const RootFs& fs, const HostFacts& host) {
  auto probe = CpuLoadProbe::Open({fs, host, At(0)});
  EXPECT_TRUE(probe.has_value());
  return std::move(probe).value();
}

double JoulesOf(Probe& probe, double second) {
  const auto deltas = probe.Read(At(second));
  EXPECT_TRUE(deltas.has_value());
  EXPECT_FALSE(deltas->at(0).gap);
  return deltas->at(0).energy.value();
}

TEST(ParseCpuTimes, LeavesOutIdleIowaitStealAndGuest) {
  const auto times = ParseCpuTimes(
      "cpu  100 20 3 5000 600 7 8 900 50 60\ncpu0 1 2 3 4\ncpu1 1 2 3 4\n");
  ASSERT_TRUE(times.has_value());
  EXPECT_EQ(times->busy, 138u);  // guest 50 and 60 are in user and nice
  EXPECT_EQ(times->steal, 900u);
  EXPECT_EQ(times->cpus, 2);
}

TEST(ParseCpuTimes, RefusesWhatIsNotProcStat) {
  for (const char* text : {"", "cpu", "cpu  1 2\ncpu0 1\n", "cpux 1 2 3 4\n",
                           "cpu  1 2 3 4\nintr 5\n", "\ncpu0 1 2 3 4\n"}) {
    const auto times = ParseCpuTimes(text);
    ASSERT_FALSE(times.has_value()) << text;
    EXPECT_EQ(times.error().message,
              "/proc/stat does not begin with CPU times");
  }
}

TEST(CpuLoadProbe, AGuestIsChargedItsShareOfThePackage) {
  StatFs fs;
  const auto probe = OpenOrDie(fs, Guest());
  fs.stat = Stat(2, 1000);  // 10 CPU-seconds in 10 s: one of two CPUs busy
  const CpuPower power = PowerOf(Guest());
  const double idle = power.idle.value() / 128;
  const double full = power.full.value() / 128;
  EXPECT_NEAR(JoulesOf(*probe, 10), 10 * (idle + full), 1e-9);
}

TEST(CpuLoadProbe, MetalAtFullLoadDrawsAllPackages) {
  HostFacts host;
  host.cpu_model = "Intel(R) Xeon(R) CPU E5-2620 v3 @ 2.40GHz";
  host.sockets = 2;
  host.logical_cpus = 4;  // a container sees fewer; the machine has 24
  StatFs fs;
  fs.stat = Stat(24, 0);
  const auto probe = OpenOrDie(fs, host);
  fs.stat = Stat(24, 2400);
  EXPECT_NEAR(JoulesOf(*probe, 1), 2 * 49.1, 1e-9);
}

TEST(CpuLoadProbe, StolenTimeIsNotOurs) {
  StatFs fs;
  const auto probe = OpenOrDie(fs, Guest());
  fs.stat = Stat(2, 0, 900);
  EXPECT_NEAR(JoulesOf(*probe, 10), 10 * probe->idle_power()->mid.value(),
              1e-9);
}

// Energy above idle is proportional to CPU time: ratios of one are ratios of
// the other, however the time is spread.
TEST(CpuLoadProperty, EnergyAboveIdleIsProportionalToCpuTime) {
  Rng rng(11);
  StatFs fs;
  const auto probe = OpenOrDie(fs, Guest());
  const double idle = probe->idle_power()->mid.value();
  double now = 0;
  uint64_t user = 0;
  double rate = 0;
  for (int i = 0; i < 500; ++i) {
    const double span = 0.05 + rng.Unit();
    const auto ticks = 1 + rng.Below(static_cast<uint32_t>(2 * span * 100) + 1);
    now += span;
    user += ticks;
    fs.stat = Stat(2, user);
    const double active = JoulesOf(*probe, now) - idle * span;
    const double per_second = active / (ticks * 0.01);
    if (i == 0) rate = per_second;
    EXPECT_NEAR(per_second, rate, 1e-5 * rate);
  }
}

TEST(CpuLoadProperty, SpansAddUp) {
  StatFs fs;
  const auto once = OpenOrDie(fs, Guest());
  const auto often = OpenOrDie(fs, Guest());
  double sum = 0;
  for (int i = 1; i <= 50; ++i) {
    fs.stat = Stat(2, static_cast<uint64_t>(i) * 10);
    sum += JoulesOf(*often, i * 0.1);
  }
  EXPECT_NEAR(JoulesOf(*once, 5), sum, 1e-9);
}

TEST(CpuLoadProbe, AFailedReadIsAGapAndNothingIsMadeUp) {
  StatFs fs;
  const auto probe = OpenOrDie(fs, Guest());
  fs.fail = true;
  EXPECT_FALSE(probe->Read(At(1)).has_value());
  fs.fail = false;
  fs.stat = Stat(2, 100);
  const DomainDelta gap = probe->Read(At(2))->at(0);
  EXPECT_TRUE(gap.gap);
  EXPECT_EQ(gap.energy.value(), 0);
  fs.stat = Stat(2, 200);
  EXPECT_FALSE(probe->Read(At(3))->at(0).gap);
}

// Of a span in which a CPU goes off or comes on the larger count is taken; the
// kernel's sums may step back with it, which is a gap.
TEST(CpuLoadProbe, CpusComeAndGo) {
  StatFs fs;
  fs.stat = Stat(2, 0);
  const auto probe = OpenOrDie(fs, Guest());
  const double idle = probe->idle_power()->mid.value() / 2;
  fs.stat = Stat(1, 0);
  EXPECT_NEAR(JoulesOf(*probe, 1), 2 * idle, 1e-9);
  EXPECT_NEAR(JoulesOf(*probe, 2), idle, 1e-9);
  fs.stat = Stat(4, 0);
  EXPECT_NEAR(JoulesOf(*probe, 3), 4 * idle, 1e-9);
  fs.stat = Stat(4, 390);  // all four busy
  EXPECT_GT(JoulesOf(*probe, 4), 4 * idle);
  fs.stat = Stat(3, 100);
  EXPECT_TRUE(probe->Read(At(5))->at(0).gap);
}

TEST(CpuLoadProbe, CountsThatGoBackOrJumpAreGaps) {
  StatFs fs;
  fs.stat = Stat(2, 1000);
  const auto probe = OpenOrDie(fs, Guest());
  fs.stat = Stat(2, 500);
  EXPECT_TRUE(probe->Read(At(1))->at(0).gap);
  fs.stat = Stat(2, 50'000);  // 495 CPU-seconds in one
  EXPECT_TRUE(probe->Read(At(2))->at(0).gap);
  fs.stat = Stat(2, 50'100);
  EXPECT_FALSE(probe->Read(At(3))->at(0).gap);
}

TEST(CpuLoadProbe, ErrorsAreTheDatasOwnAndOneIsPerWorkload) {
  StatFs fs;
  const auto probe = OpenOrDie(fs, Guest());
  const LoadCurveQuality& q = CpuLoadModelQuality();
  double total = 0;
  bool per_workload = false;
  for (const Share& share : probe->relative_errors()) {
    total = std::hypot(total, share.delta);
    per_workload |= SourceName(share.source) == kInstructionMixSource;
  }
  EXPECT_NEAR(total, q.ln_sd, 1e-9);  // a known chip adds nothing
  EXPECT_TRUE(per_workload);
  // The interval stays on the log scale.
  EXPECT_LT(total, 1 / kZ90);
}

TEST(CpuLoadProbe, AMaskedChipWidensTheInterval) {
  HostFacts masked = Guest();
  masked.cpu_model = "AMD EPYC Processor (family 25 model 1)";
  StatFs fs;
  const auto wide = OpenOrDie(fs, masked)->relative_errors();
  EXPECT_EQ(wide.size(), 3u);
  const Estimate<Watts> idle = *OpenOrDie(fs, masked)->idle_power();
  EXPECT_EQ(idle.origin, Origin::kModelled);
  EXPECT_GT(idle.sd() / idle.mid.value(), CpuLoadModelQuality().ln_sd);
}

TEST(CpuLoadProbe, ReportSaysHowGoodItIs) {
  StatFs fs;
  const ProbeReport report = CpuLoadProbe::Report({fs, Guest()});
  EXPECT_TRUE(report.usable);
  EXPECT_EQ(report.covers,
            "CPU packages, MODELLED from CPU time: AMD EPYC 7763");
  EXPECT_THAT(report.reason, HasSubstr("90 % interval x/÷ 2.3"));
  EXPECT_THAT(report.reason, HasSubstr("78 points on 4 machines"));
  EXPECT_THAT(report.reason, HasSubstr("coverage "));
  fs.fail = true;
  EXPECT_EQ(CpuLoadProbe::Report({fs, Guest()}).reason,
            "cannot read /proc/stat");
}

}  // namespace
}  // namespace modicum
