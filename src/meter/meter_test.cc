// SPDX-License-Identifier: Apache-2.0
// The meter with its thread, on this machine's clock: no test waits for it.
#include "meter/meter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "meter/fake_machine.h"

namespace modicum {
namespace {

std::vector<std::unique_ptr<Probe>> OneProbe(Clock& clock) {
  auto probe = std::make_unique<FakeProbe>(FakeProbe::Options{}, clock.Now());
  probe->Draw(clock.Now(), Watts(10));
  std::vector<std::unique_ptr<Probe>> probes;
  probes.push_back(std::move(probe));
  return probes;
}

std::unique_ptr<Meter> OpenOn(Clock& clock, Seconds period,
                              bool stamps = false) {
  static const RootFs fs;
  auto meter = Meter::Open({.period = period, .stamps = stamps},
                           OneProbe(clock), fs, HostFacts{}, clock);
  EXPECT_TRUE(meter);
  return *std::move(meter);
}

TEST(Meter, WindowsFromManyThreadsNestAndOverlap) {
  const auto meter = OpenOn(SystemClock(), Milliseconds(1));
  const auto work = [&meter] {
    for (int i = 0; i < 100; ++i) {
      const WindowId outer = meter->Begin("outer");
      const WindowId inner = meter->Begin("inner");
      const auto inside = meter->End(inner);
      const auto outside = meter->End(outer);
      ASSERT_TRUE(inside && outside);
      EXPECT_LE(inside->split.measured.mid, outside->split.measured.mid);
      EXPECT_LE(inside->cpu, outside->cpu);
      EXPECT_GE(meter->idle_power().mid, Watts(0));
    }
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
}

TEST(Meter, StampedWindowsFromManyThreadsNestAndOverlap) {
  const auto meter = OpenOn(SystemClock(), Milliseconds(1), true);
  const Subject subject{Subject::Kind::kThisTree};
  const auto work = [&meter, &subject] {
    for (int i = 0; i < 100; ++i) {
      const WindowId outer = meter->Begin("outer", subject, Edge::kStamped);
      const WindowId inner = meter->Begin("inner", subject, Edge::kStamped);
      const auto so_far = meter->Peek(outer);
      const auto inside = meter->End(inner);
      const auto outside = meter->End(outer);
      ASSERT_TRUE(so_far && inside && outside);
      EXPECT_LE(so_far->split.measured.mid, outside->split.measured.mid);
      EXPECT_LE(inside->split.measured.mid, outside->split.measured.mid);
      EXPECT_LE(inside->cpu, outside->cpu);
    }
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
}

TEST(Meter, AFakeClockDoesNotRunAwayUnderTheSampler) {
  FakeClock clock;
  const auto meter = OpenOn(clock, Milliseconds(1));
  const WindowId window = meter->Begin("w");
  clock.Tick(Seconds(2));
  const auto reading = meter->End(window);
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->wall, Seconds(2));
  EXPECT_DOUBLE_EQ(reading->split.measured.mid.value(), 20);
}

TEST(Meter, RefusesAPeriodThatIsNoPeriod) {
  FakeClock clock;
  const RootFs fs;
  for (const double seconds : {0.0, -1.0, 1e-6, 61.0, std::nan("")}) {
    const auto meter = Meter::Open({.period = Seconds(seconds)},
                                   OneProbe(clock), fs, HostFacts{}, clock);
    ASSERT_FALSE(meter);
    EXPECT_EQ(meter.error().message,
              "the sampling period must be between 1 ms and 60 s");
    EXPECT_EQ(meter.error().hint, "set sample_hz between 0.017 and 1000");
  }
}

TEST(PhaseMeter, CutsAWindowPerPhase) {
  FakeClock clock;
  const auto meter = OpenOn(clock, Seconds(10));
  PhaseMeter phases(*meter);
  phases.Begin(Phase::kLoad);
  clock.Tick(Seconds(1));
  phases.Begin(Phase::kPrepare);
  clock.Tick(Seconds(2));
  phases.Begin(Phase::kPrepare);  // the same one goes on
  clock.Tick(Seconds(2));
  phases.Begin(Phase::kPrefill);
  clock.Tick(Seconds(8));
  const auto readings = phases.Finish();
  ASSERT_TRUE(readings);
  std::vector<std::pair<Phase, double>> joules;
  for (const auto& [phase, reading] : *readings)
    joules.emplace_back(phase, reading.split.measured.mid.value());
  EXPECT_THAT(joules,
              testing::ElementsAre(
                  testing::Pair(Phase::kLoad, testing::DoubleEq(10)),
                  testing::Pair(Phase::kPrepare, testing::DoubleEq(40)),
                  testing::Pair(Phase::kPrefill, testing::DoubleEq(80))));
  EXPECT_EQ((*readings)[1].second.name, "prepare");
}

TEST(PhaseMeter, CanBeUsedAgainAndAbandoned) {
  FakeClock clock;
  const auto meter = OpenOn(clock, Seconds(10));
  PhaseMeter phases(*meter);
  EXPECT_EQ(phases.Finish()->size(), 0U);
  phases.Begin(Phase::kTrain);
  EXPECT_EQ(phases.Finish()->size(), 1U);
  phases.Begin(Phase::kTrain);
  EXPECT_EQ(phases.Finish()->size(), 1U);
  phases.Begin(Phase::kDecode);  // ended by the destructor
}

TEST(IdlePolicy, NamesRoundTrip) {
  for (const IdlePolicy policy :
       {IdlePolicy::kMarginal, IdlePolicy::kProportional, IdlePolicy::kFull})
    EXPECT_EQ(ParseIdlePolicy(IdlePolicyName(policy)), policy);
}

TEST(IdlePolicy, AnUnknownNameGetsASuggestion) {
  const auto policy = ParseIdlePolicy("marginl");
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(policy.error().message,
            "unknown idle policy 'marginl', did you mean 'marginal'?");
  EXPECT_EQ(policy.error().hint, "use marginal, proportional or full");
  EXPECT_EQ(ParseIdlePolicy("x").error().message, "unknown idle policy 'x'");
}

}  // namespace
}  // namespace modicum
