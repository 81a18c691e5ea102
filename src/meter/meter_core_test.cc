// SPDX-License-Identifier: Apache-2.0
#include "meter/meter_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "meter/fake_machine.h"
#include "probe/cpu_load.h"

namespace modicum {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr Seconds kPeriod = Milliseconds(100);

Estimate<Watts> Idle(double watts) {
  return Exactly(Watts(watts), Origin::kModelled, Scope::kPackage);
}

FakeProbe::Options WithIdle(double watts) {
  FakeProbe::Options options;
  options.idle = Idle(watts);
  return options;
}

WindowReading End(FakeMachine& machine, WindowId window) {
  auto reading = machine.core->End(window);
  EXPECT_TRUE(reading);
  EXPECT_NEAR(SumOfParts(reading->split).value(),
              reading->split.measured.mid.value(),
              1e-9 * reading->split.measured.mid.value());
  Joules lines;
  for (const BillLine& line : reading->lines) lines += line.energy.mid;
  EXPECT_NEAR(lines.value(), reading->split.own().mid.value(),
              1e-9 * lines.value());
  return *reading;
}

// Where the subject's threads shared cores, its second draws less than another:
// of the half that is told the weight is 0.5, and so of all.
TEST(MeterCore, ActiveEnergyGoesByWeighedTime) {
  FakeMachine machine;  // a counter
  machine.Work(Seconds(60), 0, 0, Watts(10));
  machine.core->Step();
  const auto measure = [&machine](Seconds told) {
    const WindowId window = machine.Begin();
    machine.Work(Seconds(10), 1, 1, Watts(40));
    WeighedCpu& weighed = machine.subjects.weighed[FakeMachine::kOwn];
    weighed.cpu += told;
    weighed.weighed += told * 0.5;
    return End(machine, window);
  };
  const WindowReading plain = measure(Seconds(0));
  const WindowReading weighed = measure(Seconds(5));
  EXPECT_NEAR(weighed.split.own_active.mid / plain.split.own_active.mid, 0.5,
              1e-9);
  EXPECT_EQ(weighed.cpu, plain.cpu);
  EXPECT_TRUE(plain.factors.empty());
  ASSERT_EQ(weighed.factors.size(), 1u);
  EXPECT_THAT(weighed.factors[0].source, HasSubstr("METRION"));
}

TEST(MeterCore, CountersAreWhatWasDrawnSinceItOpened) {
  FakeMachine machine(WithIdle(10));
  machine.Work(Seconds(2), 0, 1, Watts(30));
  const auto fresh = machine.core->Counters(Milliseconds(20));
  ASSERT_EQ(fresh.size(), 1u);
  EXPECT_EQ(fresh[0].domain.name, "package-0");
  EXPECT_EQ(fresh[0].probe, "fake");
  EXPECT_DOUBLE_EQ(fresh[0].energy.value(), 60);
  EXPECT_FALSE(fresh[0].failing);
  // One that is young enough is not read again.
  const int reads = machine.probe->reads();
  machine.Work(Milliseconds(10), 0, 1, Watts(30));
  EXPECT_DOUBLE_EQ(machine.core->Counters(Milliseconds(20))[0].energy.value(),
                   60);
  EXPECT_EQ(machine.probe->reads(), reads);
  machine.Work(Milliseconds(20), 0, 1, Watts(30));
  machine.probe->FailReads(1);
  const auto failed = machine.core->Counters(Milliseconds(20));
  EXPECT_TRUE(failed[0].failing);
  EXPECT_EQ(failed[0].gaps, 1);
  EXPECT_DOUBLE_EQ(failed[0].energy.value(), 60);
}

TEST(MeterCore, AWindowHoldsExactlyItsEnergy) {
  FakeMachine machine(WithIdle(10));
  machine.Work(Seconds(1), 0, 1, Watts(500));  // before: not ours
  const MonotonicTime begin = machine.clock.Now();
  const WindowId window = machine.Begin();
  for (int i = 0; i < 10; ++i) {
    machine.Work(kPeriod, 1, 0, Watts(30));
    machine.core->Step();
  }
  const WindowReading reading = End(machine, window);
  EXPECT_DOUBLE_EQ(reading.wall.value(), 1);
  EXPECT_DOUBLE_EQ(reading.cpu.value(), 1);
  EXPECT_DOUBLE_EQ(reading.split.measured.mid.value(), 30);
  EXPECT_DOUBLE_EQ(
      reading.split.measured.mid.value(),
      machine.probe->TrueEnergy(begin, machine.clock.Now()).value());
  EXPECT_NEAR(reading.split.own_active.mid.value(), 20, 1e-9);
  EXPECT_NEAR(reading.split.own_idle.mid.value(), 5, 1e-9);
  EXPECT_FALSE(reading.contended);
  EXPECT_THAT(reading.warnings, IsEmpty());
  ASSERT_EQ(reading.lines.size(), 1U);
  EXPECT_EQ(reading.lines[0].component, "cpu");
  EXPECT_EQ(reading.lines[0].probe, "fake");
}

TEST(MeterCore, AShortWindowBetweenSamplesIsNotZero) {
  FakeMachine machine(WithIdle(0));
  machine.core->Step();
  machine.Work(Milliseconds(30), 0, 0, Watts(5));
  const WindowId window = machine.Begin();
  machine.Work(Milliseconds(20), 1, 0, Watts(40));
  EXPECT_NEAR(End(machine, window).split.own().mid.value(), 0.8, 1e-9);
}

// A source that updates slowly is not read at every edge; the window's part of
// the interval between two samples is then taken by time.
TEST(MeterCore, EdgesBetweenTwoUpdatesAreInterpolated) {
  FakeProbe::Options options = WithIdle(0);
  options.update_period = Seconds(1);
  FakeMachine machine(options, {.period = Seconds(1)});
  machine.Work(Seconds(0.25), 1, 0, Watts(8));
  const WindowId window = machine.Begin();
  EXPECT_EQ(machine.probe->reads(), 0);
  machine.Work(Seconds(0.75), 1, 0, Watts(8));
  EXPECT_DOUBLE_EQ(End(machine, window).split.measured.mid.value(), 6);
}

TEST(MeterCore, AdjacentWindowsSumToTheWhole) {
  Rng rng(7);
  for (int trace = 0; trace < 200; ++trace) {
    FakeMachine machine(WithIdle(5 * rng.Unit()));
    const WindowId whole = machine.Begin();
    Joules measured;
    Seconds cpu;
    for (int part = 0; part < 5; ++part) {
      const WindowId window = machine.Begin();
      for (uint32_t i = rng.Below(4) + 1; i > 0; --i) {
        machine.Work(kPeriod * rng.Unit(), rng.Unit(), rng.Unit(),
                     Watts(100 * rng.Unit()));
        if (rng.Below(2) == 0) machine.core->Step();
      }
      const WindowReading reading = End(machine, window);
      measured += reading.split.measured.mid;
      cpu += reading.cpu;
    }
    const WindowReading all = End(machine, whole);
    ASSERT_NEAR(measured.value(), all.split.measured.mid.value(), 1e-9);
    ASSERT_NEAR(cpu.value(), all.cpu.value(), 1e-9);
  }
}

TEST(MeterCore, NestedAndOverlappingWindowsKeepTheirOwnEnergy) {
  FakeMachine machine(WithIdle(0));
  const WindowId outer = machine.Begin();
  machine.Work(Seconds(1), 1, 0, Watts(10));
  const WindowId inner = machine.Begin();
  machine.Work(Seconds(1), 1, 0, Watts(20));
  const WindowId late = machine.Begin();
  machine.Work(Seconds(1), 1, 0, Watts(40));
  EXPECT_DOUBLE_EQ(End(machine, inner).split.measured.mid.value(), 60);
  machine.Work(Seconds(1), 1, 0, Watts(80));
  EXPECT_DOUBLE_EQ(End(machine, outer).split.measured.mid.value(), 150);
  EXPECT_DOUBLE_EQ(End(machine, late).split.measured.mid.value(), 120);
}

TEST(MeterCore, ALongerWindowNeverHoldsLess) {
  Rng rng(11);
  FakeMachine machine(WithIdle(3));
  std::vector<WindowId> windows;
  for (int i = 0; i < 50; ++i) {
    windows.push_back(machine.Begin());
    if (rng.Below(5) == 0) machine.probe->FailReads(1);
    machine.Work(kPeriod * rng.Unit(), rng.Unit(), rng.Unit(),
                 Watts(50 * rng.Unit()));
  }
  Joules longer(1e300);
  for (const WindowId window : windows) {
    const Joules energy = End(machine, window).split.measured.mid;
    ASSERT_LE(energy, longer);
    longer = energy;
  }
}

TEST(MeterCore, TwoSubjectsTogetherPayWhatTheyPayAlone) {
  // Power is linear in busy CPUs: 6 W idle, 10 W per CPU.
  const auto solo = [](double cpus) {
    FakeMachine machine(WithIdle(6));
    const WindowId window = machine.Begin();
    machine.Work(Seconds(10), cpus, 0, Watts(6 + 10 * cpus));
    return End(machine, window).split.own_active.mid.value();
  };
  FakeMachine machine(WithIdle(6));
  const WindowId first = machine.Begin();
  const WindowId second =
      machine.core->Begin("second", {Subject::Kind::kTree, 2});
  machine.subjects.cpu[2] += Seconds(8);
  machine.Work(Seconds(10), 0.5, 0.8, Watts(6 + 13));
  const WindowReading a = End(machine, first);
  const WindowReading b = End(machine, second);
  EXPECT_NEAR(a.split.own_active.mid.value(), solo(0.5), 1e-9);
  EXPECT_NEAR(b.split.own_active.mid.value(), solo(0.8), 1e-9);
  // Each is the other's other; nothing is left over or charged twice.
  EXPECT_NEAR(a.split.other_active.mid.value(), b.split.own_active.mid.value(),
              1e-9);
  EXPECT_LE((a.split.own() + b.split.own()).mid, a.split.measured.mid);
  EXPECT_EQ(a.split.unattributed.mid, Joules(0));
  EXPECT_TRUE(a.contended);
}

TEST(MeterCore, AFailedReadIsOneGapAndInventsNothing) {
  FakeMachine machine(WithIdle(1));
  const MonotonicTime begin = machine.clock.Now();
  const WindowId window = machine.Begin();
  machine.Work(Seconds(1), 1, 0, Watts(10));
  machine.core->Step();
  machine.probe->FailReads(3);
  for (int i = 0; i < 4; ++i) {
    machine.Work(Seconds(1), 1, 0, Watts(10));
    machine.core->Step();
  }
  machine.Work(Seconds(1), 1, 0, Watts(10));
  const WindowReading reading = End(machine, window);
  EXPECT_DOUBLE_EQ(reading.split.measured.mid.value(), 20);
  EXPECT_LE(reading.split.measured.mid,
            machine.probe->TrueEnergy(begin, machine.clock.Now()));
  EXPECT_EQ(reading.domains[0].gaps, 1);
  EXPECT_THAT(reading.warnings,
              Contains("1 gap in package-0: the energy in between is missing, "
                       "not guessed"));
}

TEST(MeterCore, AProbeFailingAtTheEndIsSaid) {
  FakeMachine machine(WithIdle(1));
  const WindowId window = machine.Begin();
  machine.Work(Seconds(1), 1, 0, Watts(10));
  machine.probe->FailReads(1);
  const WindowReading reading = End(machine, window);
  EXPECT_EQ(reading.split.measured.mid, Joules(0));
  EXPECT_EQ(reading.domains[0].gaps, 1);
  EXPECT_THAT(reading.warnings,
              Contains("fake failed at the end of the window (cannot read the "
                       "fake counter): its last energy is missing"));
}

TEST(MeterCore, AGapThatLastsFromBeforeTheWindowIsAlsoItsOwn) {
  FakeMachine machine(WithIdle(1));
  machine.probe->FailReads(1000);
  machine.Work(Seconds(1), 1, 0, Watts(10));
  machine.core->Step();
  const WindowId window = machine.Begin();
  machine.Work(Seconds(1), 1, 0, Watts(10));
  EXPECT_EQ(End(machine, window).domains[0].gaps, 1);
}

TEST(MeterCore, AGapBeforeTheWindowIsNotItsOwn) {
  FakeMachine machine(WithIdle(1));
  machine.probe->FailReads(1);
  machine.Work(Seconds(1), 1, 0, Watts(10));
  machine.core->Step();
  machine.Work(Seconds(1), 1, 0, Watts(10));
  machine.core->Step();
  const WindowId window = machine.Begin();
  machine.Work(Seconds(1), 1, 0, Watts(10));
  const WindowReading reading = End(machine, window);
  EXPECT_EQ(reading.domains[0].gaps, 0);
  EXPECT_DOUBLE_EQ(reading.split.measured.mid.value(), 10);
}

TEST(MeterCore, EnergyIsNeverInventedUnderRandomFaults) {
  Rng rng(3);
  for (int trace = 0; trace < 100; ++trace) {
    FakeMachine machine(WithIdle(20 * rng.Unit()));
    const MonotonicTime begin = machine.clock.Now();
    const WindowId window = machine.Begin();
    for (int i = 0; i < 30; ++i) {
      machine.Work(kPeriod * rng.Unit(), rng.Unit(), rng.Unit(),
                   Watts(80 * rng.Unit()));
      if (rng.Below(6) == 0)
        machine.probe->FailReads(static_cast<int>(rng.Below(3)));
      if (rng.Below(9) == 0) machine.probe->ResetCounter();
      if (rng.Below(2) == 0) machine.core->Step();
    }
    const Joules truth = machine.probe->TrueEnergy(begin, machine.clock.Now());
    ASSERT_LE(End(machine, window).split.measured.mid.value(),
              truth.value() + 1e-9);
  }
}

constexpr MeterOptions kStamps{.period = kPeriod, .stamps = true};

WindowId Stamp(FakeMachine& machine) {
  return machine.core->Begin("window", {Subject::Kind::kThisTree},
                             Edge::kStamped);
}

TEST(MeterCore, AStampedWindowReadsNoSourceAndIsInterpolated) {
  FakeMachine machine(WithIdle(0), kStamps);
  machine.core->Step();
  const int reads = machine.probe->reads();
  machine.Work(Milliseconds(60), 0, 0, Watts(10));
  const WindowId window = Stamp(machine);
  EXPECT_EQ(machine.probe->reads(), reads);
  machine.Work(Milliseconds(40), 0, 0, Watts(10));
  machine.core->Step();
  machine.Work(Milliseconds(100), 0, 0, Watts(20));
  const WindowReading reading = End(machine, window);
  EXPECT_DOUBLE_EQ(reading.wall.value(), 0.14);
  EXPECT_NEAR(reading.split.measured.mid.value(), 0.4 + 2, 1e-9);
}

TEST(MeterCore, AnExactWindowReadsWhatMayHaveChanged) {
  FakeMachine machine(WithIdle(0), kStamps);
  machine.Work(Milliseconds(60), 0, 0, Watts(90));
  const int reads = machine.probe->reads();
  const WindowId window = machine.Begin();
  EXPECT_EQ(machine.probe->reads(), reads + 1);
  machine.Work(Milliseconds(40), 0, 0, Watts(10));
  EXPECT_NEAR(End(machine, window).split.measured.mid.value(), 0.4, 1e-9);
}

TEST(MeterCore, StampedWindowsNeverHoldMoreThanThoseAroundThem) {
  Rng rng(13);
  FakeMachine machine(WithIdle(3), kStamps);
  std::vector<WindowId> windows;
  for (int i = 0; i < 60; ++i) {
    windows.push_back(i % 3 == 0 ? machine.Begin() : Stamp(machine));
    machine.Work(kPeriod * rng.Unit(), rng.Unit(), rng.Unit(),
                 Watts(50 * rng.Unit()));
    if (rng.Below(3) == 0) machine.core->Step();
  }
  Joules longer(1e300);
  for (const WindowId window : windows) {
    const Joules energy = End(machine, window).split.measured.mid;
    ASSERT_LE(energy, longer);
    longer = energy;
  }
}

TEST(MeterCore, AWindowOfThisTreeCountsTheProcessAndItsDescendants) {
  FakeMachine machine(WithIdle(0), kStamps);
  machine.subjects.cpu[0] = Seconds(7);
  machine.subjects.descendants = Seconds(3);
  machine.Work(Milliseconds(50), 0, 0, Watts(0));
  const WindowId window = Stamp(machine);
  machine.core->Step();
  machine.subjects.cpu[0] += Seconds(0.3);
  machine.subjects.descendants += Seconds(0.5);
  machine.Work(Seconds(1), 0, 1, Watts(10));
  const WindowReading reading = End(machine, window);
  EXPECT_NEAR(reading.cpu.value(), 0.8, 1e-9);
  EXPECT_NEAR(reading.split.own_active.mid.value(), 8, 1e-9);
}

TEST(MeterCore, PeekingShowsTheWindowSoFarAndLeavesItOpen) {
  FakeMachine machine(WithIdle(0), kStamps);
  const WindowId window = Stamp(machine);
  machine.Work(Seconds(1), 0, 1, Watts(10));
  const auto half = machine.core->Peek(window);
  ASSERT_TRUE(half);
  EXPECT_DOUBLE_EQ(half->split.measured.mid.value(), 10);
  machine.Work(Seconds(1), 0, 1, Watts(10));
  EXPECT_DOUBLE_EQ(End(machine, window).split.measured.mid.value(), 20);
  EXPECT_EQ(machine.core->Peek(window).error().code, ErrorCode::kNotFound);
}

TEST(MeterCore, EndingAWindowTwiceIsAnError) {
  FakeMachine machine;
  const WindowId window = machine.Begin();
  End(machine, window);
  const auto again = machine.core->End(window);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(again.error().message, "the window was ended already");
}

TEST(MeterCore, FewerThanTenUpdatesAreFlagged) {
  FakeProbe::Options options = WithIdle(1);
  options.update_period = Milliseconds(20);
  FakeMachine machine(options);
  const WindowId flagged = machine.Begin();
  machine.Work(Milliseconds(190), 1, 0, Watts(10));
  const WindowReading reading = End(machine, flagged);
  EXPECT_THAT(reading.warnings,
              Contains("window of 0.19 s spans 9 updates of fake, fewer than "
                       "10: repeat the work to lengthen it"));
  const WindowId long_enough = machine.Begin();
  machine.Work(Milliseconds(210), 1, 0, Watts(10));
  EXPECT_THAT(End(machine, long_enough).warnings,
              Not(Contains(HasSubstr("window of"))));
}

TEST(MeterCore, UnknownIdleIsSaidThenLearnedWhileQuiet) {
  FakeMachine machine;
  EXPECT_EQ(machine.core->idle_power().mid, Watts(0));
  EXPECT_EQ(machine.core->idle_power().origin, Origin::kAssumed);
  const WindowId early = machine.Begin();
  machine.Work(Seconds(1), 1, 0, Watts(30));
  const WindowReading blind = End(machine, early);
  EXPECT_DOUBLE_EQ(blind.split.own_active.mid.value(), 30);
  EXPECT_THAT(blind.warnings,
              Contains("idle power of fake is not known yet: all energy counts "
                       "as active; it is learned while the machine is quiet"));
  for (int i = 0; i < 10; ++i) {
    machine.Work(kPeriod, 0, 0.01, Watts(12));
    machine.core->Step();
  }
  EXPECT_NEAR(machine.core->idle_power().mid.value(), 12, 1e-9);
  EXPECT_EQ(machine.core->idle_power().origin, Origin::kCounter);
  const WindowId late = machine.Begin();
  machine.Work(Seconds(1), 1, 0, Watts(30));
  EXPECT_NEAR(End(machine, late).split.own_active.mid.value(), 18, 1e-9);
}

// What is idle is learned between them, and holds for both.
TEST(MeterCore, StoppedPhasesSumToTheWindowAroundThem) {
  FakeMachine machine;
  const WindowId whole = machine.Begin();
  const WindowId busy = machine.Begin();
  machine.Work(Seconds(1), 1, 0, Watts(30));
  ASSERT_TRUE(machine.core->Stop(busy));
  const WindowId quiet = machine.Begin();
  for (int i = 0; i < 10; ++i) {
    machine.Work(kPeriod, 0, 0, Watts(12));
    machine.core->Step();
  }
  ASSERT_TRUE(machine.core->Stop(quiet));
  ASSERT_TRUE(machine.core->Stop(quiet));  // at what it was stopped at
  machine.probe->FailReads(1);
  machine.core->Step();
  const WindowReading all = End(machine, whole);
  const WindowReading first = End(machine, busy);
  const WindowReading second = End(machine, quiet);
  EXPECT_DOUBLE_EQ(first.wall.value(), 1);
  EXPECT_NEAR(second.wall.value(), 1, 1e-9);
  EXPECT_NEAR(first.split.own_active.mid.value(), 18, 1e-9);
  EXPECT_NEAR((first.split.own() + second.split.own()).mid.value(),
              all.split.own().mid.value(), 1e-9);
  EXPECT_EQ(second.domains[0].gaps, 0);
  EXPECT_EQ(all.domains[0].gaps, 1);
  EXPECT_EQ(machine.core->Stop(busy).error().code, ErrorCode::kNotFound);
}

// Whoever lives where a phase ends is told in ticks; the whole is exact.
TEST(MeterCore, APhasesCpuTimeIsAsFineAsTicks) {
  FakeMachine machine(WithIdle(10));
  const WindowId whole = machine.Begin();
  machine.subjects.members[FakeMachine::kOwn] = {1, 2};
  const WindowId phase = machine.Begin();
  machine.Work(Seconds(1), 0.5, 0.5, Watts(40));
  ASSERT_TRUE(machine.core->Stop(phase));
  machine.subjects.members.clear();
  const auto relative = [](const WindowReading& reading) {
    return reading.split.own_active.sd() / reading.split.own_active.mid.value();
  };
  EXPECT_LT(relative(End(machine, whole)), 0.02);
  // sqrt(4 / 6) ticks of half a second, or more.
  EXPECT_GT(relative(End(machine, phase)), 0.016);
}

TEST(MeterCore, ACounterThatNeverMovesIsSaid) {
  FakeMachine machine(WithIdle(10));
  const WindowId window = machine.Begin();
  machine.Work(Milliseconds(900), 1, 0, Watts(0));
  const auto early = machine.core->Peek(window);
  ASSERT_TRUE(early);
  EXPECT_THAT(early->warnings, Not(Contains(HasSubstr("has not moved"))));
  machine.Work(Milliseconds(200), 1, 0, Watts(0));
  EXPECT_THAT(End(machine, window).warnings,
              Contains("package-0 has not moved in 1.1 s: what it covers is "
                       "missing; `modicum doctor` watches it, --probe names "
                       "another source"));
}

TEST(MeterCore, GapThatLastsWhereAPhaseIsStoppedIsOneOfIt) {
  FakeMachine machine(WithIdle(10));
  machine.Work(kPeriod, 1, 0, Watts(30));
  machine.core->Step();
  machine.probe->FailReads(3);
  machine.core->Step();
  const WindowId phase = machine.Begin();
  machine.Work(kPeriod, 1, 0, Watts(30));
  ASSERT_TRUE(machine.core->Stop(phase));
  machine.Work(kPeriod, 1, 0, Watts(30));
  machine.core->Step();
  machine.core->Step();
  EXPECT_EQ(End(machine, phase).domains[0].gaps, 1);
}

TEST(MeterCore, OthersStealAndPressureAreContention) {
  const auto contended = [](double others, double steal, double pressure) {
    FakeMachine machine(WithIdle(1));
    const WindowId window = machine.Begin();
    machine.steal += Seconds(steal);
    machine.pressure += Seconds(pressure);
    machine.Work(Seconds(10), 1, others, Watts(10));
    return End(machine, window).contended;
  };
  EXPECT_FALSE(contended(0.1, 0.5, 0.5));
  EXPECT_TRUE(contended(0.3, 0, 0));
  EXPECT_TRUE(contended(0, 1.5, 0));
  EXPECT_TRUE(contended(0.1, 0, 2));
}

TEST(MeterCore, WithoutProcStatTheSubjectPaysAloneAndItIsSaid) {
  FakeMachine machine(WithIdle(10));
  const WindowId window = machine.Begin();
  machine.Work(Seconds(1), 1, 0.5, Watts(30));
  machine.fs.Remove("/proc/stat");
  const WindowReading reading = End(machine, window);
  EXPECT_NEAR(reading.split.own_active.mid.value(), 20, 1e-9);
  EXPECT_THAT(reading.warnings,
              Contains("CPU time of other processes is not known (cannot read "
                       "/proc/stat: no such file): active energy is shared "
                       "with nobody"));
}

TEST(MeterCore, AStalledSamplerLosesNothing) {
  FakeMachine machine(WithIdle(1));
  const WindowId window = machine.Begin();
  machine.Work(Seconds(1), 1, 0, Watts(10));
  machine.core->Step();
  machine.Work(Seconds(600), 1, 0, Watts(10));  // no samples for ten minutes
  machine.Work(Seconds(1), 1, 0, Watts(10));
  EXPECT_DOUBLE_EQ(End(machine, window).split.measured.mid.value(), 6020);
}

// A clock that may also be set back, which no monotonic clock should do.
class UnsteadyClock final : public Clock {
 public:
  MonotonicTime Now() const override { return now; }
  WallTime WallNow() const override { return {}; }
  void SleepUntil(MonotonicTime when) override { now = when; }
  MonotonicTime now{1'000'000'000};
};

TEST(MeterCore, AClockThatGoesBackGivesNoNegativeTime) {
  UnsteadyClock clock;
  FakeSubjects subjects;
  const MemoryFs fs;
  std::vector<std::unique_ptr<Probe>> probes;
  probes.push_back(std::make_unique<FakeProbe>(WithIdle(1), clock.now));
  MeterCore core({}, std::move(probes), fs, HostFacts{}, clock, subjects);
  const WindowId window = core.Begin("w", {});
  clock.now.nanos -= 500'000'000;
  const auto reading = core.End(window);
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->wall, Seconds(0));
  EXPECT_EQ(reading->split.measured.mid, Joules(0));
}

// Counters that begin anew when it wakes are a gap, as any reset.
TEST(MeterCore, ASuspendIsSaidAndItsTimeIsNotInTheWindow) {
  FakeMachine machine(WithIdle(10));
  const WindowId window = machine.Begin();
  machine.Work(Seconds(1), 1, 0, Watts(30));
  machine.core->Step();
  machine.clock.Suspend(Seconds(720));
  machine.probe->ResetCounter();
  machine.Work(Seconds(1), 1, 0, Watts(30));
  const WindowReading reading = End(machine, window);
  EXPECT_DOUBLE_EQ(reading.wall.value(), 2);
  EXPECT_DOUBLE_EQ(reading.suspended.value(), 720);
  EXPECT_DOUBLE_EQ(reading.split.measured.mid.value(), 30);
  EXPECT_THAT(reading.warnings,
              Contains("the machine slept for 12 min in this window: neither "
                       "that time nor what it drew meanwhile is in it"));
  EXPECT_THAT(reading.warnings, Contains(HasSubstr("1 gap in package-0")));
  // The next one knows nothing of it.
  const WindowId next = machine.Begin();
  machine.Work(Seconds(1), 1, 0, Watts(30));
  EXPECT_EQ(End(machine, next).suspended, Seconds(0));
}

TEST(MeterCore, ASetCalendarChangesNoWindow) {
  for (const double hours : {-30.0, 30.0}) {
    FakeMachine machine(WithIdle(10));
    const WindowId window = machine.Begin();
    machine.Work(Seconds(1), 1, 0, Watts(30));
    machine.clock.SetForward(Hours(hours));
    machine.Work(Seconds(1), 1, 0, Watts(30));
    const WindowReading reading = End(machine, window);
    EXPECT_DOUBLE_EQ(reading.wall.value(), 2);
    EXPECT_DOUBLE_EQ(reading.split.measured.mid.value(), 60);
    EXPECT_THAT(reading.warnings, IsEmpty());
  }
}

// The kernel's count of all CPUs steps back when one goes.
TEST(MeterCore, ACpuThatGoesOfflineMakesNoNegativeTime) {
  FakeMachine machine(WithIdle(10));
  machine.busy = Seconds(100);
  machine.Work(Seconds(1), 0, 0, Watts(10));
  const WindowId window = machine.Begin();
  machine.Work(Seconds(1), 1, 0, Watts(30));
  machine.busy = Seconds(40);
  machine.WriteProc();
  const WindowReading reading = End(machine, window);
  EXPECT_EQ(reading.host_busy, Seconds(0));
  EXPECT_DOUBLE_EQ(reading.cpu.value(), 1);
  EXPECT_DOUBLE_EQ(reading.split.measured.mid.value(), 30);
  EXPECT_EQ(reading.split.other_active.mid, Joules(0));
}

FakeProbe::Options Nested() {
  FakeProbe::Options options;
  const auto domain = [](std::string name, std::string component,
                         bool counted) {
    return Domain{.name = std::move(name),
                  .component = std::move(component),
                  .scope = Scope::kPackage,
                  .origin = Origin::kCounter,
                  .counted = counted};
  };
  options.domains = {
      domain("package-0", "cpu", true), domain("core-0", "cpu", false),
      domain("package-1", "cpu", true), domain("dram-0", "dram", true),
      domain("gpu-0", "gpu", true)};
  options.idle = Idle(10);
  return options;
}

TEST(MeterCore, NestedDomainsAreShownButNotCounted) {
  FakeMachine machine(Nested());
  for (size_t i = 1; i < 5; ++i)
    machine.probe->Draw(machine.clock.Now(), Watts(20), i);
  const WindowId window = machine.Begin();
  machine.Work(Seconds(1), 1, 0, Watts(20));
  const WindowReading reading = End(machine, window);
  EXPECT_EQ(reading.domains.size(), 5U);
  EXPECT_DOUBLE_EQ(reading.split.measured.mid.value(), 80);
  EXPECT_THAT(machine.core->components(),
              testing::ElementsAre("cpu", "cpu", "dram", "gpu"));
  // Both packages in one line; the idle power is spread over the domains.
  ASSERT_EQ(reading.lines.size(), 3U);
  EXPECT_DOUBLE_EQ(reading.lines[0].energy.mid.value(), 35 + 2.5);
  EXPECT_EQ(reading.lines[2].energy.mid, Joules(0));
}

TEST(MeterCore, WhatCpuTimeDoesNotExplainStaysUnattributed) {
  FakeMachine machine(Nested());
  machine.probe->Draw(machine.clock.Now(), Watts(300), 4);
  const WindowId window = machine.Begin();
  machine.Work(Seconds(1), 1, 0, Watts(20));
  const WindowReading reading = End(machine, window);
  EXPECT_DOUBLE_EQ(reading.split.unattributed.mid.value(), 300);
  EXPECT_THAT(reading.warnings,
              Contains("gpu-0 is not explained by CPU time: its energy stays "
                       "unattributed"));
}

TEST(MeterCore, AWindowOfTheMachineOwnsAllThatWasMeasured) {
  FakeMachine machine(Nested());
  machine.probe->Draw(machine.clock.Now(), Watts(300), 4);
  const WindowId window =
      machine.core->Begin("window", {Subject::Kind::kMachine});
  machine.Work(Seconds(1), 0.5, 1, Watts(20));
  const WindowReading reading = End(machine, window);
  EXPECT_DOUBLE_EQ(reading.split.measured.mid.value(), 320);
  EXPECT_DOUBLE_EQ(reading.split.own().mid.value(), 320);
  EXPECT_DOUBLE_EQ(reading.cpu.value(), 1.5);
  EXPECT_EQ(reading.split.idle_policy, "full");
  EXPECT_FALSE(reading.contended);
  EXPECT_THAT(reading.warnings, Not(Contains(HasSubstr("unattributed"))));
}

FakeProbe::Options Modelled() {
  FakeProbe::Options options = WithIdle(2);
  options.domains[0].origin = Origin::kModelled;
  options.active_per_cpu = Watts(10);
  return options;
}

// /proc/stat counts in ticks of 10 ms and misses 4 ms of work; the subject's
// own CPU time is exact, and the model is linear in CPU time.
TEST(MeterCore, AModelIsAppliedToExactCpuTimeWhereTicksMissIt) {
  FakeMachine machine(Modelled());
  const WindowId window = machine.Begin();
  machine.subjects.cpu[FakeMachine::kOwn] += Milliseconds(4);
  machine.Work(Milliseconds(8), 0, 0, Watts(2));
  const WindowReading reading = End(machine, window);
  EXPECT_NEAR(reading.split.own_active.mid.value(), 0.04, 1e-9);
  EXPECT_NEAR(reading.split.measured.mid.value(), 0.016 + 0.04, 1e-9);
}

// Others' ticks are uncertain, the subject's CPU time is not, and the model is
// linear in it.
TEST(MeterCore, TicksLeaveTheSubjectsPartOfAModelExact) {
  FakeMachine machine(Modelled());
  const WindowId window = machine.Begin();
  machine.Work(Milliseconds(50), 0.63, 0.4, Watts(2 + 10.3));
  const WindowReading reading = End(machine, window);
  EXPECT_NEAR(reading.split.own_active.mid.value(), 0.315, 1e-9);
  EXPECT_EQ(reading.split.own_active.own_sd, 0);
  EXPECT_GT(reading.split.other_active.own_sd, 0);
}

TEST(MeterCore, ASourceThatIsNotLinearKeepsItsOwnFigure) {
  FakeMachine machine(Modelled());
  const WindowId window = machine.Begin();
  machine.Work(Seconds(1), 1, 0, Watts(2 + 25));
  EXPECT_NEAR(End(machine, window).split.measured.mid.value(), 27, 1e-9);
}

// The real model on a machine that no tick passes on: a command of some
// milliseconds has the joules of its CPU time, not zero.
TEST(MeterCore, SomeMillisecondsOfCpuHaveTheirModelledEnergy) {
  const auto joules = [](double milliseconds) {
    FakeMachine machine;
    std::vector<std::unique_ptr<Probe>> probes;
    probes.push_back(
        *CpuLoadProbe::Open({machine.fs, HostFacts{}, machine.clock.Now()}));
    const Watts per_cpu = *probes[0]->active_power_per_cpu();
    MeterCore core({.idle_policy = IdlePolicy::kMarginal}, std::move(probes),
                   machine.fs, HostFacts{}, machine.clock, machine.subjects);
    const WindowId window =
        core.Begin("w", {Subject::Kind::kTree, FakeMachine::kOwn});
    machine.subjects.cpu[FakeMachine::kOwn] += Milliseconds(milliseconds);
    machine.clock.Tick(Milliseconds(8));
    const auto reading = core.End(window);
    EXPECT_TRUE(reading);
    EXPECT_GT(per_cpu, Watts(0));
    EXPECT_NEAR(reading->split.own().mid.value(),
                (per_cpu * Milliseconds(milliseconds)).value(), 1e-9);
    return reading->split.own().mid.value();
  };
  EXPECT_GT(joules(0.5), 0);
  EXPECT_NEAR(joules(6), 12 * joules(0.5), 1e-9);
}

TEST(MeterCore, SharedErrorsOfTheProbeReachEveryPart) {
  FakeProbe::Options options = Modelled();
  const SourceId a = InternSource("meter test a");
  const SourceId b = InternSource("meter test b");
  options.errors = {{b, 0.4}, {a, 0.3}};  // not sorted
  FakeMachine machine(options);
  const WindowId window = machine.Begin();
  machine.Work(Seconds(10), 1, 0, Watts(12));
  const WindowReading reading = End(machine, window);
  EXPECT_NEAR(reading.split.measured.sd() / reading.split.measured.mid.value(),
              0.5, 1e-3);
  EXPECT_EQ(reading.split.own().shared.size(), 2U);
  EXPECT_EQ(reading.split.own().origin, Origin::kModelled);
}

}  // namespace
}  // namespace modicum
