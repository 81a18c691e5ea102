// SPDX-License-Identifier: Apache-2.0
#include "meter/attribution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "meter/fake_machine.h"
#include "meter/warnings.h"

namespace modicum {
namespace {

constexpr IdlePolicy kPolicies[] = {
    IdlePolicy::kMarginal, IdlePolicy::kProportional, IdlePolicy::kFull};

Estimate<Joules> Counted(double joules) {
  return Exactly(Joules(joules), Origin::kCounter, Scope::kPackage);
}
Estimate<Watts> IdleOf(double watts) {
  return Exactly(Watts(watts), Origin::kModelled, Scope::kPackage);
}
CpuUse Use(double own, double busy, double capacity) {
  return {Seconds(own),
          Seconds(busy),
          Seconds(capacity),
          Seconds(0),
          Seconds(0),
          false,
          {}};
}

TEST(Split, ActiveGoesByCpuShareIdleByPolicy) {
  // 10 s on 2 CPUs: 100 J measured, 4 W idle, so 60 J active.
  const CpuUse use = Use(5, 15, 20);
  const EnergySplit split = Split(Counted(100), IdleOf(4), Seconds(10), use,
                                  IdlePolicy::kProportional);
  EXPECT_DOUBLE_EQ(split.own_active.mid.value(), 20);
  EXPECT_DOUBLE_EQ(split.other_active.mid.value(), 40);
  EXPECT_DOUBLE_EQ(split.own_idle.mid.value(), 10);  // 5 of 20 CPU-seconds
  EXPECT_DOUBLE_EQ(split.other_idle.mid.value(), 30);
  EXPECT_EQ(split.unattributed.mid, Joules(0));
  EXPECT_DOUBLE_EQ(split.own().mid.value(), 30);
  EXPECT_EQ(split.idle_policy, "proportional");
}

TEST(Split, AWeightMovesTheActivePartAlone) {
  CpuUse use = Use(5, 15, 20);
  use.weight = 0.6;
  const EnergySplit split = Split(Counted(100), IdleOf(4), Seconds(10), use,
                                  IdlePolicy::kProportional);
  EXPECT_DOUBLE_EQ(split.own_active.mid.value(), 12);
  EXPECT_DOUBLE_EQ(split.other_active.mid.value(), 48);
  EXPECT_DOUBLE_EQ(split.own_idle.mid.value(), 10);
}

TEST(Split, MarginalChargesNoIdleFullChargesAll) {
  const CpuUse use = Use(5, 15, 20);
  const auto own_idle = [&use](IdlePolicy policy) {
    return Split(Counted(100), IdleOf(4), Seconds(10), use, policy)
        .own_idle.mid;
  };
  EXPECT_EQ(own_idle(IdlePolicy::kMarginal), Joules(0));
  EXPECT_EQ(own_idle(IdlePolicy::kFull), Joules(40));
}

TEST(Split, PartsAreConservedAndNeverNegative) {
  Rng rng(20260101);
  for (int i = 0; i < 20'000; ++i) {
    const auto any = [&rng](double most) { return most * rng.Unit(); };
    const double measured = any(1e6);
    const Seconds wall(any(100));
    CpuUse use = Use(any(200), any(200), wall.value() * 2);
    if (i % 7 == 0) use.own = Seconds(0);
    if (i % 11 == 0) use.busy = Seconds(0);
    use.busy_sd = Seconds(any(0.02));
    if (i % 2 == 0) use.weight = any(2);
    std::optional<Estimate<Watts>> idle;
    if (i % 3 != 0) idle = IdleOf(any(2e4));
    const EnergySplit split = Split(Counted(measured), idle, wall, use,
                                    kPolicies[static_cast<size_t>(i) % 3]);
    ASSERT_NEAR(SumOfParts(split).value(), measured, 1e-9 * measured) << i;
    for (const auto& part :
         {split.own_active, split.own_idle, split.other_active,
          split.other_idle, split.unattributed})
      ASSERT_GE(part.mid, Joules(0)) << i;
  }
}

TEST(Split, AWideErrorNeverMakesAShareLookNegative) {
  Estimate<Joules> measured = Counted(100);
  measured.WithShared(InternSource("wide model"), 0.9);
  Estimate<Watts> idle = IdleOf(4);
  idle.WithShared(InternSource("another"), 0.9);
  const EnergySplit split = Split(measured, idle, Seconds(10), Use(5, 15, 20),
                                  IdlePolicy::kProportional);
  EXPECT_GT(split.own().low(), Joules(0));
  EXPECT_GT(split.other_active.low(), Joules(0));
}

TEST(Split, ActiveEnergyWithNobodyRunningIsUnattributed) {
  const EnergySplit split = Split(Counted(50), IdleOf(2), Seconds(10),
                                  Use(0, 0, 20), IdlePolicy::kProportional);
  EXPECT_EQ(split.unattributed.mid, Joules(30));
  EXPECT_EQ(split.own().mid, Joules(0));
}

TEST(Split, ModelsSharedErrorCancelsInTheActivePart) {
  // Both the energy and its idle part come from the same model: an error of
  // 30 % in it is one of 30 % in the active energy, not more.
  const SourceId model = InternSource("split test model");
  auto measured = Counted(100);
  measured.WithShared(model, 0.3);
  auto idle = IdleOf(4);
  idle.WithShared(model, 0.3);
  const EnergySplit split = Split(measured, idle, Seconds(10), Use(10, 10, 20),
                                  IdlePolicy::kMarginal);
  EXPECT_EQ(split.own_active.mid, Joules(60));
  EXPECT_NEAR(split.own_active.sd(), 18, 1e-9);
}

TEST(Split, TicksMakeASmallShareOfAShortWindowUncertain) {
  CpuUse use = Use(0.01, 0.04, 0.2);
  use.busy_sd = Seconds(0.01);
  const EnergySplit split =
      Split(Counted(8), IdleOf(0), Seconds(0.1), use, IdlePolicy::kMarginal);
  EXPECT_DOUBLE_EQ(split.own_active.mid.value(), 2);
  EXPECT_DOUBLE_EQ(split.own_active.own_sd, 0.5);
}

TEST(Unattributed, KeepsAllEnergyApart) {
  const EnergySplit split = Unattributed(Counted(7), IdlePolicy::kFull);
  EXPECT_EQ(split.unattributed.mid, Joules(7));
  EXPECT_EQ(split.own().mid, Joules(0));
  EXPECT_EQ(SumOfParts(split), split.measured.mid);
}

TEST(Contention, LimitsAreThoseDocumented) {
  const auto contended = [](double others, double steal, double pressure) {
    const CpuUse use = Use(1, 1 + others * 20, 20);
    return ContentionOf(use, Seconds(steal * 20), Seconds(pressure * 10),
                        Seconds(10))
        .contended();
  };
  EXPECT_FALSE(contended(0.09, 0.04, 0.09));
  EXPECT_TRUE(contended(0.11, 0, 0));
  EXPECT_TRUE(contended(0, 0.06, 0));
  EXPECT_TRUE(contended(0.02, 0, 0.11));
  // A subject with more threads than CPUs only waits for itself.
  EXPECT_FALSE(contended(0, 0, 0.9));
}

TEST(Contention, OneTickPerCpuIsNotHeldAgainstAShortWindow) {
  CpuUse use = Use(0.05, 0.07, 0.1);
  use.busy_sd = Seconds(0.014);
  EXPECT_FALSE(
      ContentionOf(use, Seconds(0), Seconds(0), Seconds(0.05)).contended());
}

TEST(Contention, WarningsNameFigureLimitAndCure) {
  EXPECT_THAT(
      ContentionWarnings({.others = 0.25, .steal = 0.08, .pressure = 0.5}),
      testing::ElementsAre(
          "other processes used 25 % of the CPUs (limit 10 %): stop them or "
          "repeat when the machine is quiet",
          "the hypervisor took 8 % of the CPU time (limit 5 %): repeat later "
          "or on a dedicated host",
          "tasks waited for a CPU 50 % of the time (limit 10 %): stop other "
          "work or use fewer threads"));
}

}  // namespace
}  // namespace modicum
