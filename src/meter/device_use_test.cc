// SPDX-License-Identifier: Apache-2.0
#include "meter/device_use.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "meter/fake_machine.h"

namespace modicum {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr pid_t kOwnPid = 100;
constexpr pid_t kOtherPid = 200;

// What a device tells of one second.
struct Second {
  double own = 0, other = 0;  // share of it
  bool samples = true;        // the driver tells them apart
  bool processes = true;      // and who holds it
  bool busy = true;           // and that it was busy
};
DeviceUse UseOf(const Second& s) {
  DeviceUse use;
  use.asked = true;
  if (s.busy) use.busy = Seconds(std::min(1.0, s.own + s.other));
  if (s.samples) {
    use.by_process.emplace();
    if (s.own > 0) use.by_process->push_back({kOwnPid, Seconds(s.own)});
    if (s.other > 0) use.by_process->push_back({kOtherPid, Seconds(s.other)});
  } else {
    use.unknown = "the reason";
  }
  if (s.processes) {
    use.present.emplace();
    if (s.own > 0) use.present->push_back(kOwnPid);
    if (s.other > 0) use.present->push_back(kOtherPid);
  }
  return use;
}

DeviceShare ShareOf(const Second& second) {
  DeviceUseTotals totals;
  totals.Add(UseOf(second), 1);
  totals.Claim([](pid_t pid) { return pid == kOwnPid; });
  return totals.Share(Seconds(1));
}

TEST(DeviceShare, GoesByUtilisation) {
  const DeviceShare share = ShareOf({.own = 0.6, .other = 0.2});
  EXPECT_DOUBLE_EQ(share.use.ShareOfBusy(), 0.75);
  EXPECT_DOUBLE_EQ(share.use.ShareOfCapacity(), 0.6);
  EXPECT_THAT(share.warning, IsEmpty());
}

TEST(DeviceShare, OfOthersAloneIsNothing) {
  EXPECT_EQ(ShareOf({.other = 0.5}).use.ShareOfBusy(), 0);
  EXPECT_EQ(ShareOf({.other = 0.5, .samples = false}).use.ShareOfBusy(), 0);
}

TEST(DeviceShare, WithNobodyOnItIsIdle) {
  EXPECT_TRUE(ShareOf({}).idle);
  EXPECT_TRUE(ShareOf({.samples = false}).idle);
  EXPECT_TRUE(ShareOf({.samples = false, .processes = false}).idle);
}

TEST(DeviceShare, WithoutSamplesTheOnlyHolderPaysAndTheRuleIsNamed) {
  const DeviceShare share = ShareOf({.own = 0.6, .samples = false});
  EXPECT_EQ(share.use.ShareOfBusy(), 1);
  EXPECT_DOUBLE_EQ(share.use.ShareOfCapacity(), 0.6);
  EXPECT_EQ(share.warning,
            "a GPU's use by process is not known (the reason): nobody else was "
            "on it, so all of its active energy is billed here");
  // A split GPU does not even say that it was busy.
  const DeviceShare mig =
      ShareOf({.own = 0.6, .samples = false, .busy = false});
  EXPECT_EQ(mig.use.ShareOfBusy(), 1);
  EXPECT_EQ(mig.use.ShareOfCapacity(), 1);
}

TEST(DeviceShare, WithoutSamplesTwoHoldersLeaveItUnattributed) {
  const DeviceShare share =
      ShareOf({.own = 0.6, .other = 0.2, .samples = false});
  EXPECT_EQ(share.use.own, Seconds(0));
  EXPECT_EQ(share.use.busy, Seconds(0));
  EXPECT_FALSE(share.idle);
  EXPECT_EQ(share.warning,
            "who kept a GPU busy is not known (the reason): its active energy "
            "stays unattributed");
}

TEST(DeviceShare, WithNothingKnownItIsUnattributed) {
  const DeviceShare share =
      ShareOf({.own = 0.6, .samples = false, .processes = false});
  EXPECT_EQ(share.use.busy, Seconds(0));
  EXPECT_FALSE(share.idle);
  EXPECT_THAT(share.warning, HasSubstr("stays unattributed"));
  EXPECT_THAT(DeviceUseTotals().Share(Seconds(1)).warning,
              HasSubstr("no sample of its processes in this window"));
}

TEST(DeviceShare, AProcessThatEndedStaysOurs) {
  DeviceUseTotals totals;
  totals.Add(UseOf({.own = 0.5}), 1);
  totals.Claim([](pid_t pid) { return pid == kOwnPid; });
  totals.Add(UseOf({.own = 0.5}), 1);
  totals.Claim([](pid_t) { return false; });  // it is gone by now
  EXPECT_EQ(totals.Share(Seconds(2)).use.ShareOfBusy(), 1);
}

TEST(DeviceShare, OnlyThePartInTheWindowCounts) {
  DeviceUseTotals totals;
  totals.Add(UseOf({.own = 1}), 0.25);
  totals.Add(UseOf({.other = 0.5}), 1);
  totals.Claim([](pid_t pid) { return pid == kOwnPid; });
  EXPECT_DOUBLE_EQ(totals.Share(Seconds(2)).use.ShareOfBusy(), 0.25 / 0.75);
}

// One GPU beside nothing else.
FakeProbe::Options OneGpu() {
  FakeProbe::Options options;
  options.name = "nvml";
  options.domains = {{.name = "gpu-0",
                      .component = "gpu",
                      .scope = Scope::kDevice,
                      .origin = Origin::kCounter,
                      .counted = true}};
  return options;
}

WindowReading End(FakeMachine& machine, WindowId window) {
  auto reading = machine.core->End(window);
  EXPECT_TRUE(reading);
  EXPECT_NEAR(SumOfParts(reading->split).value(),
              reading->split.measured.mid.value(), 1e-9);
  return *reading;
}

// A quiet GPU draws 50 W, for long enough to be learned.
void LearnIdle(FakeMachine& machine) {
  machine.probe->Use(UseOf({}));
  for (int i = 0; i < 10; ++i) {
    machine.Work(Seconds(0.1), 0, 0, Watts(50));
    machine.core->Step();
  }
}

WindowReading OneSecond(FakeMachine& machine, const Second& second) {
  const WindowId window = machine.Begin();
  machine.probe->Use(UseOf(second));
  machine.Work(Seconds(1), 1, 0, Watts(250));
  return End(machine, window);
}

TEST(MeterGpu, ActiveEnergyGoesByUtilisationIdleByThePolicy) {
  FakeMachine machine(OneGpu());
  machine.subjects.members[FakeMachine::kOwn] = {kOwnPid};
  LearnIdle(machine);
  EXPECT_DOUBLE_EQ(machine.core->idle_power().mid.value(), 50);
  const WindowReading reading = OneSecond(machine, {.own = 0.6, .other = 0.2});
  EXPECT_NEAR(reading.split.own_active.mid.value(), 150, 1e-9);
  EXPECT_NEAR(reading.split.other_active.mid.value(), 50, 1e-9);
  EXPECT_NEAR(reading.split.own_idle.mid.value(), 30, 1e-9);
  ASSERT_EQ(reading.lines.size(), 1U);
  EXPECT_EQ(reading.lines[0].component, "gpu");
  EXPECT_EQ(reading.lines[0].probe, "nvml gpu-0");
  EXPECT_NEAR(reading.lines[0].energy.mid.value(), 180, 1e-9);
  EXPECT_THAT(reading.warnings, Not(Contains(HasSubstr("GPU"))));
}

TEST(MeterGpu, ItsCpuTimeGivesASubjectNothingOfAGpuItDidNotUse) {
  FakeMachine machine(OneGpu());
  LearnIdle(machine);
  const WindowReading reading = OneSecond(machine, {.other = 0.9});
  EXPECT_EQ(reading.split.own().mid, Joules(0));
  EXPECT_NEAR(reading.split.other_active.mid.value(), 200, 1e-9);
}

TEST(MeterGpu, AnUnusedGpuIsIdleAlsoBeforeItsIdlePowerIsLearned) {
  FakeMachine machine(OneGpu(), {.idle_policy = IdlePolicy::kFull});
  const WindowReading reading = OneSecond(machine, {});
  EXPECT_NEAR(reading.split.own_idle.mid.value(), 250, 1e-9);
  EXPECT_EQ(reading.split.unattributed.mid, Joules(0));
  EXPECT_THAT(reading.warnings, IsEmpty());
}

TEST(MeterGpu, UnknownUsersLeaveActiveEnergyUnattributed) {
  FakeMachine machine(OneGpu());
  LearnIdle(machine);
  const WindowReading reading =
      OneSecond(machine, {.own = 1, .samples = false, .processes = false});
  EXPECT_NEAR(reading.split.unattributed.mid.value(), 200, 1e-9);
  EXPECT_NEAR(reading.split.other_idle.mid.value(), 50, 1e-9);
  EXPECT_THAT(reading.warnings,
              Contains(HasSubstr("who kept a GPU busy is not known")));
}

TEST(MeterGpu, IdleIsNotLearnedWhileAProcessHoldsTheGpu) {
  FakeMachine machine(OneGpu());
  machine.probe->Use(UseOf({.other = 0.001}));
  for (int i = 0; i < 30; ++i) {
    machine.Work(Seconds(0.1), 0, 0, Watts(250));
    machine.core->Step();
  }
  EXPECT_EQ(machine.core->idle_power().mid, Watts(0));
}

TEST(MeterGpu, ALostGpuIsOneGapAndSaidInEveryLaterWindow) {
  FakeMachine machine(OneGpu());
  for (int i = 0; i < 5; ++i) {
    machine.probe->ResetCounter();
    machine.Work(Seconds(0.1), 0, 0, Watts(50));
    machine.core->Step();
  }
  machine.probe->ResetCounter();
  const WindowReading reading = OneSecond(machine, {});
  EXPECT_EQ(reading.domains[0].gaps, 1);
  EXPECT_EQ(reading.split.measured.mid, Joules(0));
}

TEST(MeterGpu, EnergyIsConservedWhateverIsKnown) {
  Rng rng(41);
  for (int trace = 0; trace < 300; ++trace) {
    FakeMachine machine(
        OneGpu(), {.idle_policy = trace % 2 == 0 ? IdlePolicy::kFull
                                                 : IdlePolicy::kMarginal});
    machine.subjects.members[FakeMachine::kOwn] = {kOwnPid};
    if (rng.Below(2) == 0) LearnIdle(machine);
    const WindowId window = machine.Begin();
    for (int i = 0; i < 8; ++i) {
      Second second;
      second.own = rng.Below(2) == 0 ? 0 : rng.Unit();
      second.other = rng.Below(2) == 0 ? 0 : rng.Unit();
      second.samples = rng.Below(4) != 0;
      second.processes = rng.Below(4) != 0;
      second.busy = rng.Below(4) != 0;
      machine.probe->Use(UseOf(second));
      machine.Work(Seconds(0.2 * rng.Unit()), rng.Unit(), rng.Unit(),
                   Watts(400 * rng.Unit()));
      if (rng.Below(5) == 0) machine.probe->FailReads(1);
      if (rng.Below(2) == 0) machine.core->Step();
    }
    const WindowReading reading = End(machine, window);
    for (const auto& part :
         {reading.split.own_active, reading.split.own_idle,
          reading.split.other_active, reading.split.other_idle,
          reading.split.unattributed})
      ASSERT_GE(part.mid, Joules(0)) << trace;
  }
}

TEST(MeterGpu, PackageAndGpuTogetherCoverThePackage) {
  DomainUse package;
  package.domain = {"package-0", "cpu", Scope::kPackage, Origin::kCounter,
                    true};
  package.probe = "rapl";
  package.energy = Joules(10);
  DomainUse gpu;
  gpu.domain = OneGpu().domains[0];
  gpu.probe = "nvml";
  gpu.energy = Joules(50);
  gpu.device = ShareOf({.own = 1});
  WindowReading reading;
  reading.wall = Seconds(1);
  const CpuUse cpu{Seconds(1), Seconds(1), Seconds(2), Seconds(0)};
  Attribute({package, gpu}, cpu, IdlePolicy::kMarginal, reading);
  EXPECT_DOUBLE_EQ(reading.split.own().mid.value(), 60);
  EXPECT_EQ(reading.split.own().scope, Scope::kPackage);
  EXPECT_EQ(reading.split.measured.scope, Scope::kPackage);
  EXPECT_EQ(reading.domains[1].energy.scope, Scope::kDevice);
  ASSERT_EQ(reading.lines.size(), 2U);
  EXPECT_EQ(reading.lines[0].probe, "rapl");
  EXPECT_EQ(reading.lines[1].energy.scope, Scope::kDevice);
}

}  // namespace
}  // namespace modicum
