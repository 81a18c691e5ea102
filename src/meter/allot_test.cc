// SPDX-License-Identifier: Apache-2.0
#include "meter/allot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"

namespace modicum {
namespace {

DomainEnergy Cpu(double joules, std::optional<double> idle_watts) {
  DomainEnergy domain;
  domain.domain.name = "package-0";
  domain.domain.component = "cpu";
  domain.domain.origin = Origin::kCounter;
  domain.domain.scope = Scope::kPackage;
  domain.domain.counted = true;
  domain.energy = Exactly(Joules(joules), Origin::kCounter, Scope::kPackage);
  if (idle_watts)
    domain.idle =
        Exactly(Watts(*idle_watts), Origin::kCounter, Scope::kPackage);
  return domain;
}

DomainEnergy Gpu(double joules, std::map<pid_t, Seconds> by_process,
                 bool idle = false) {
  DomainEnergy domain = Cpu(joules, 5);
  domain.domain.name = "gpu-0";
  domain.domain.component = "gpu";
  domain.device = DeviceTimes{std::move(by_process), idle};
  return domain;
}

WindowReading Reading(std::vector<DomainEnergy> domains, double busy) {
  WindowReading reading;
  reading.wall = Seconds(10);
  reading.host_busy = Seconds(busy);
  reading.capacity = Seconds(20);
  reading.domains = std::move(domains);
  reading.split.measured =
      Exactly(Joules(0), Origin::kCounter, Scope::kPackage);
  return reading;
}

Joules Sum(const Allotment& allotment) {
  Joules sum = allotment.idle.mid + allotment.unattributed.mid;
  for (const ConsumerEnergy& share : allotment.shares) sum += share.own().mid;
  return sum;
}

const std::vector<Consumer> kTwo = {{"a", {1}, Seconds(3), Seconds(3)},
                                    {"b", {2, 3}, Seconds(1), Seconds(1)}};

TEST(Allot, ActiveByCpuTimeIdleByPolicy) {
  const auto reading = Reading({Cpu(100, 2)}, 4);
  const auto marginal = Allot(reading, kTwo, IdlePolicy::kMarginal);
  EXPECT_DOUBLE_EQ(marginal.shares[0].active.mid.value(), 60);
  EXPECT_DOUBLE_EQ(marginal.shares[1].active.mid.value(), 20);
  EXPECT_DOUBLE_EQ(marginal.idle.mid.value(), 20);
  EXPECT_DOUBLE_EQ(marginal.unattributed.mid.value(), 0);

  const auto proportional = Allot(reading, kTwo, IdlePolicy::kProportional);
  EXPECT_DOUBLE_EQ(proportional.shares[0].idle.mid.value(), 3);
  EXPECT_DOUBLE_EQ(proportional.idle.mid.value(), 16);

  const auto full = Allot(reading, kTwo, IdlePolicy::kFull);
  EXPECT_DOUBLE_EQ(full.shares[0].idle.mid.value(), 15);
  EXPECT_DOUBLE_EQ(full.idle.mid.value(), 0);
}

TEST(Allot, WhatNobodySawIsUnattributed) {
  const auto allotment =
      Allot(Reading({Cpu(100, 2)}, 8), kTwo, IdlePolicy::kMarginal);
  EXPECT_DOUBLE_EQ(allotment.shares[0].active.mid.value(), 30);
  EXPECT_DOUBLE_EQ(allotment.unattributed.mid.value(), 40);
}

// Ticks of the whole may miss what the processes' own counts have.
TEST(Allot, TheWholeIsNoLessThanItsParts) {
  const auto allotment =
      Allot(Reading({Cpu(100, 2)}, 1), kTwo, IdlePolicy::kMarginal);
  EXPECT_DOUBLE_EQ(Sum(allotment).value(), 100);
  EXPECT_DOUBLE_EQ(allotment.unattributed.mid.value(), 0);
}

TEST(Allot, ADeviceByTimeOnIt) {
  const auto reading =
      Reading({Cpu(100, 2),
               Gpu(90, {{2, Seconds(1)}, {3, Seconds(2)}, {9, Seconds(1)}})},
              4);
  const auto allotment = Allot(reading, kTwo, IdlePolicy::kMarginal);
  EXPECT_DOUBLE_EQ(allotment.shares[0].of_devices.mid.value(), 0);
  EXPECT_DOUBLE_EQ(allotment.shares[1].of_devices.mid.value(), 30);
  EXPECT_DOUBLE_EQ(allotment.shares[1].active.mid.value(), 50);
  EXPECT_DOUBLE_EQ(allotment.unattributed.mid.value(), 10);
  EXPECT_DOUBLE_EQ(allotment.measured.mid.value(), 190);
}

TEST(Allot, ADeviceOfUnknownUsersIsNobodysAnIdleOneIdle) {
  const auto unknown =
      Allot(Reading({Gpu(90, {})}, 4), kTwo, IdlePolicy::kMarginal);
  EXPECT_DOUBLE_EQ(unknown.unattributed.mid.value(), 40);
  EXPECT_DOUBLE_EQ(unknown.idle.mid.value(), 50);
  const auto idle =
      Allot(Reading({Gpu(90, {}, true)}, 4), kTwo, IdlePolicy::kMarginal);
  EXPECT_DOUBLE_EQ(idle.idle.mid.value(), 90);
}

TEST(Allot, KeepsOriginScopeAndCountsOnlyWhatCounts) {
  DomainEnergy core = Cpu(40, 1);
  core.domain.counted = false;
  DomainEnergy model = Cpu(100, 2);
  model.domain.origin = model.energy.origin = Origin::kModelled;
  const auto allotment =
      Allot(Reading({core, model}, 4), kTwo, IdlePolicy::kMarginal);
  EXPECT_DOUBLE_EQ(allotment.measured.mid.value(), 100);
  EXPECT_EQ(allotment.shares[0].own().origin, Origin::kModelled);
  EXPECT_EQ(allotment.unattributed.origin, Origin::kModelled);
  EXPECT_EQ(allotment.measured.scope, Scope::kPackage);
}

// A share of few ticks is known only to within a tick.
TEST(Allot, AShareKnowsTheStepOfItsClock) {
  const auto allotment =
      Allot(Reading({Cpu(100, 0)}, 4), kTwo, IdlePolicy::kMarginal);
  EXPECT_GT(allotment.shares[1].active.own_sd, 0);
  EXPECT_LT(allotment.shares[1].active.own_sd, 1);
}

TEST(Allot, SharesIdleAndUnattributedSumToWhatWasMeasured) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    Rng rng(seed);
    std::vector<Consumer> consumers(rng.Below(20));
    for (size_t i = 0; i < consumers.size(); ++i)
      consumers[i] = {"c",
                      {static_cast<pid_t>(i)},
                      Seconds(rng.Unit() * 4),
                      Seconds(rng.Unit() * 4)};
    std::vector<DomainEnergy> domains;
    for (uint32_t i = rng.Below(3) + 1; i > 0; --i)
      domains.push_back(Cpu(rng.Unit() * 100, rng.Unit() * 12));
    if (rng.Below(2) == 0) {
      std::map<pid_t, Seconds> users;
      for (uint32_t i = rng.Below(25); i > 0; --i)
        users[static_cast<pid_t>(i)] = Seconds(rng.Unit());
      domains.push_back(Gpu(rng.Unit() * 300, users, rng.Below(4) == 0));
    }
    const auto reading = Reading(domains, rng.Unit() * 60);
    for (const IdlePolicy policy :
         {IdlePolicy::kMarginal, IdlePolicy::kProportional,
          IdlePolicy::kFull}) {
      const auto allotment = Allot(reading, consumers, policy);
      EXPECT_NEAR(Sum(allotment).value(), allotment.measured.mid.value(), 1e-9)
          << seed;
      EXPECT_GE(allotment.unattributed.mid.value(), 0);
      EXPECT_GE(allotment.idle.mid.value(), 0);
      for (const ConsumerEnergy& share : allotment.shares)
        EXPECT_GE(share.own().mid.value(), 0);
    }
  }
}

TEST(GroupBy, OneNameIsOneConsumer) {
  const std::vector<ProcessCpuUse> processes = {
      {1, 0, 1, "x", 0, "/", Seconds(1), {}},
      {2, 0, 1, "y", 0, "/", Seconds(2), {}},
      {3, 0, 1, "x", 0, "/", Seconds(4), {}}};
  const auto consumers = GroupBy(processes, [](const ProcessCpuUse& use) {
    return use.name == "y" ? "" : use.name;
  });
  ASSERT_EQ(consumers.size(), 1U);
  EXPECT_THAT(consumers[0].pids, testing::ElementsAre(1, 3));
  EXPECT_DOUBLE_EQ(consumers[0].cpu.value(), 5);
}

}  // namespace
}  // namespace modicum
