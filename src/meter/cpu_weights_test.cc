// SPDX-License-Identifier: Apache-2.0
#include "meter/cpu_weights.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "base/rng.h"
#include "meter/allot.h"
#include "meter/census.h"
#include "meter/fake_machine.h"
#include "meter/host_cpu.h"

namespace modicum {
namespace {

constexpr size_t kThreads = 4;  // two cores: 0 and 2, 1 and 3
using PerCpu = std::array<int, kThreads>;

// Two cores of two hardware threads each; a process with one thread on each,
// pid 10 on CPU 0 and so on.
class SmtMachine {
 public:
  SmtMachine() {
    for (size_t cpu = 0; cpu < kThreads; ++cpu)
      fs.Write(Path(cpu, "/topology/thread_siblings_list"),
               cpu % 2 == 0 ? "0,2\n" : "1,3\n");
    Clock({2'000'000, 2'000'000, 2'000'000, 2'000'000});
    Run({}, 0);
  }
  void Clock(const PerCpu& khz) {
    for (size_t cpu = 0; cpu < kThreads; ++cpu)
      fs.Write(Path(cpu, "/cpufreq/scaling_cur_freq"),
               std::to_string(khz[cpu]) + "\n");
  }
  void Run(const PerCpu& busy, int wall) {
    std::string lines;
    PerCpu sum{};
    for (size_t cpu = 0; cpu < kThreads; ++cpu) {
      busy_[cpu] += busy[cpu];
      idle_[cpu] += wall - busy[cpu];
      lines += "cpu" + std::to_string(cpu) + " " + std::to_string(busy_[cpu]) +
               " 0 0 " + std::to_string(idle_[cpu]) + " 0 0 0 0 0 0\n";
      sum[0] += busy_[cpu];
      WriteProcess(cpu, 1);
    }
    fs.Write("/proc/stat",
             "cpu  " + std::to_string(sum[0]) + " 0 0 0 0 0 0 0\n" + lines);
  }
  void WriteProcess(size_t cpu, int threads) {
    const std::string pid = std::to_string(10 + cpu);
    fs.Write("/proc/" + pid + "/stat",
             pid + " (work) S 1 1 1 0 -1 4194304 0 0 0 0 " +
                 std::to_string(busy_[cpu]) + " 0 0 0 20 0 " +
                 std::to_string(threads) +
                 " 0 7 1000 10 0 0 0 0 0 0 0 0 0 0 0 0 0 17 " +
                 std::to_string(cpu) + " 0 0\n");
  }
  static std::string Path(size_t cpu, std::string_view file) {
    return "/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
           std::string(file);
  }

  MemoryFs fs;

 private:
  PerCpu busy_{}, idle_{};
};

TEST(CpuWeights, WithoutFrequenciesEverySecondIsTheSame) {
  SmtMachine machine;
  machine.fs.Remove(SmtMachine::Path(3, "/cpufreq"));
  CpuWeights weights(machine.fs);
  EXPECT_FALSE(weights.known());
  machine.Run({100, 0, 100, 0}, 100);
  weights.Look();
  EXPECT_EQ(weights.Of(0), 1);
  EXPECT_EQ(weights.OfRest(), 1);
}

TEST(CpuWeights, ASharedCoreIsAboutHalfAndCyclesCount) {
  SmtMachine machine;
  machine.Clock({2'000'000, 3'000'000, 2'000'000, 3'000'000});
  CpuWeights weights(machine.fs);
  ASSERT_TRUE(weights.known());
  weights.Look();
  machine.Run({100, 100, 100, 0}, 100);
  weights.Look();
  EXPECT_NEAR(weights.Of(0) / weights.Of(1), 1.15 / 2 * 2 / 3, 1e-12);
  EXPECT_DOUBLE_EQ(weights.Of(0), weights.Of(2));
  EXPECT_NEAR((weights.Of(0) * 2 + weights.Of(1)) / 3, 1, 1e-12);
  EXPECT_NEAR(weights.OfRest(), 1, 1e-12);
  weights.Spend(1, Seconds(1));
  EXPECT_NEAR(weights.OfRest(), weights.Of(0), 1e-12);
  EXPECT_EQ(weights.Of(99), 1);
}

// Beside a thread that was busy for half of the time half of it is shared.
TEST(CpuWeights, TheSiblingCountsAsFarAsItWasBusy) {
  SmtMachine machine;
  CpuWeights weights(machine.fs);
  weights.Look();
  machine.Run({100, 100, 50, 0}, 100);
  weights.Look();
  EXPECT_NEAR(weights.Of(0) / weights.Of(1), (1 + 1.15 / 2) / 2, 1e-12);
  EXPECT_NEAR(weights.Of(2) / weights.Of(1), 1.15 / 2, 1e-12);
}

TEST(CpuWeights, SurvivesWhatAKernelMaySay) {
  SmtMachine machine;
  CpuWeights weights(machine.fs);
  weights.Look();
  for (const char* text :
       {"", "cpu  1\ncpu0\ncpu1 x\n", "cpu0 1 2 3 4 5 6 7\n",
        "cpu  9 0 0 0 0 0 0\ncpu7 9 9 9 9 9 9 9\nintr 5\n"}) {
    machine.fs.Write("/proc/stat", text);
    weights.Look();
    for (int cpu = -1; cpu < 9; ++cpu) EXPECT_GT(weights.Of(cpu), 0) << text;
    EXPECT_GT(weights.OfRest(), 0) << text;
  }
  machine.Clock({0, 0, 0, 0});
  machine.Run({100, 100, 100, 100}, 100);
  weights.Look();
  EXPECT_NEAR(weights.Of(0), 1, 1e-12);
}

// ---- Who gets what ----------------------------------------------------------

WindowReading PackageReading(double joules, const PerCpu& busy) {
  WindowReading reading;
  reading.wall = Seconds(1);
  reading.capacity = Seconds(kThreads);
  for (const int ticks : busy)
    reading.host_busy += HostCpuReader::Tick() * ticks;
  DomainEnergy domain;
  domain.domain = {.name = "package-0",
                   .component = "cpu",
                   .scope = Scope::kPackage,
                   .origin = Origin::kCounter,
                   .counted = true};
  domain.energy = Exactly(Joules(joules), Origin::kCounter, Scope::kPackage);
  reading.domains.push_back(domain);
  reading.split.measured = domain.energy;
  return reading;
}

// The energy of each process, by pid.
std::array<double, kThreads> SharesOf(const WindowReading& reading,
                                      std::vector<ProcessCpuUse> processes,
                                      bool weighed) {
  for (ProcessCpuUse& use : processes)
    if (!weighed) use.weighed = use.cpu;
  const auto consumers = GroupBy(processes, [](const ProcessCpuUse& use) {
    return std::to_string(use.pid);
  });
  const Allotment allotment = Allot(reading, consumers, IdlePolicy::kMarginal);
  EXPECT_NEAR(allotment.unattributed.mid.value(), 0,
              1e-9 * reading.split.measured.mid.value());
  std::array<double, kThreads> shares{};
  for (size_t i = 0; i < consumers.size(); ++i)
    shares[static_cast<size_t>(consumers[i].pids[0]) - 10] =
        allotment.shares[i].active.mid.value();
  return shares;
}

// What each CPU truly draws in 10 ms slots: a core with both threads busy 1.25
// times what it draws with one, and more than in proportion to its frequency.
struct TrueUse {
  PerCpu busy{};
  std::array<double, kThreads> joules{};
  double sum = 0;
};

TrueUse Simulate(const std::array<double, kThreads>& load, const PerCpu& khz,
                 Rng& rng) {
  TrueUse truth;
  for (int slot = 0; slot < 100; ++slot) {
    std::array<bool, kThreads> on{};
    for (size_t cpu = 0; cpu < kThreads; ++cpu)
      on[cpu] = rng.Unit() < load[cpu];
    for (size_t cpu = 0; cpu < kThreads; ++cpu) {
      if (!on[cpu]) continue;
      const double joules = std::pow(khz[cpu] / 1e6, 1.5) *
                            (on[(cpu + 2) % kThreads] ? 1.25 / 2 : 1);
      ++truth.busy[cpu];
      truth.joules[cpu] += joules;
      truth.sum += joules;
    }
  }
  return truth;
}

double WronglyGiven(const std::array<double, kThreads>& shares,
                    const TrueUse& truth) {
  double error = 0;
  for (size_t cpu = 0; cpu < kThreads; ++cpu)
    error += std::abs(shares[cpu] - truth.joules[cpu]);
  return error / truth.sum / 2;  // of the energy, given to the wrong one
}

TEST(WeighedShares, AreNearerToTheTruthThanCpuTime) {
  // Two loads: one shares its core with a third, one has a faster one alone.
  SmtMachine machine;
  const PerCpu khz = {2'000'000, 3'000'000, 2'000'000, 3'000'000};
  machine.Clock(khz);
  Census census(machine.fs);
  ASSERT_TRUE(census.weighs());
  ASSERT_TRUE(census.Take());
  Rng rng(1);
  const TrueUse truth = Simulate({1, 1, 1, 0}, khz, rng);
  machine.Run(truth.busy, 100);
  const auto processes = *census.Take();
  const WindowReading reading = PackageReading(truth.sum, truth.busy);
  const double by_time =
      WronglyGiven(SharesOf(reading, processes, false), truth);
  const double weighed =
      WronglyGiven(SharesOf(reading, processes, true), truth);
  EXPECT_GT(by_time, 0.2);
  EXPECT_LT(weighed, 0.05);
}

TEST(WeighedShares, AreNearerOverRandomLoadsToo) {
  double by_time = 0, weighed = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SmtMachine machine;
    Rng rng(seed);
    std::array<double, kThreads> load{};
    for (double& one : load) one = rng.Unit();
    const auto any_khz = [&rng] {
      return 1'000'000 + static_cast<int>(rng.Below(3'000'000));
    };
    const int first = any_khz(), second = any_khz();
    const PerCpu khz = {first, second, first, second};
    machine.Clock(khz);
    Census census(machine.fs);
    ASSERT_TRUE(census.Take());
    const TrueUse truth = Simulate(load, khz, rng);
    machine.Run(truth.busy, 100);
    const auto processes = *census.Take();
    const WindowReading reading = PackageReading(truth.sum, truth.busy);
    by_time += WronglyGiven(SharesOf(reading, processes, false), truth);
    weighed += WronglyGiven(SharesOf(reading, processes, true), truth);
  }
  EXPECT_LT(weighed, by_time / 2);
}

// Where several threads ran is not told: they get what the others leave.
TEST(WeighedShares, SeveralThreadsRanWhereTheOthersDidNot) {
  SmtMachine machine;
  Census census(machine.fs);
  ASSERT_TRUE(census.Take());
  machine.Run({100, 100, 100, 0}, 100);
  machine.WriteProcess(1, 8);  // alone on its core
  const auto uses = *census.Take();
  for (const ProcessCpuUse& use : uses) {
    if (use.pid == 13) continue;
    EXPECT_NEAR(use.weighed / use.cpu,
                (use.pid == 11 ? 1 : 1.15 / 2) * 3 / 2.15, 1e-9)
        << use.pid;
  }
}

// Memory is not drawn by cycles, and a model of CPU time knows of none.
TEST(WeighedShares, AreOfMeasuredProcessorsOnly) {
  for (const bool dram : {true, false}) {
    WindowReading reading = PackageReading(100, {100, 100, 0, 0});
    Domain& domain = reading.domains[0].domain;
    if (dram)
      domain.component = "dram";
    else
      domain.origin = Origin::kModelled;
    const std::vector<Consumer> consumers = {
        {"a", {10}, Seconds(1), Seconds(0.5)},
        {"b", {11}, Seconds(1), Seconds(1.5)}};
    const auto allotment = Allot(reading, consumers, IdlePolicy::kMarginal);
    EXPECT_NEAR(allotment.shares[0].active.mid.value(), 50, 1e-9);
  }
}

}  // namespace
}  // namespace modicum
