// SPDX-License-Identifier: Apache-2.0
#include "meter/census.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "base/rng.h"
#include "meter/fake_machine.h"
#include "meter/host_cpu.h"

namespace modicum {
namespace {

struct FakeProcess {
  pid_t pid = 0;
  pid_t parent = 1;
  int own = 0;     // ticks
  int waited = 0;  // of children it waited for
  int start = 7;
  std::string name = "work";
};

void Put(MemoryFs& fs, const FakeProcess& p) {
  const auto n = [](int number) { return std::to_string(number); };
  fs.Write("/proc/" + n(p.pid) + "/stat",
           n(p.pid) + " (" + p.name + ") S " + n(p.parent) +
               " 1 1 0 -1 4194304 0 0 0 0 " + n(p.own) + " 0 " + n(p.waited) +
               " 0 20 0 1 0 " + n(p.start) + " 1000 10\n");
}

// Ticks of each process by pid.
std::map<pid_t, double> Ticks(Census& census) {
  std::map<pid_t, double> ticks;
  const auto uses = *census.Take();
  for (const ProcessCpuUse& use : uses)
    ticks[use.pid] = std::round(use.cpu / HostCpuReader::Tick());
  return ticks;
}

using Uses = std::map<pid_t, double>;

TEST(Census, TheFirstLookIsTheBeginning) {
  MemoryFs fs;
  Put(fs, {.pid = 10, .own = 500, .waited = 300});
  Census census(fs);
  EXPECT_EQ(Ticks(census), (Uses{{10, 0}}));
  Put(fs, {.pid = 10, .own = 507, .waited = 300});
  EXPECT_EQ(Ticks(census), (Uses{{10, 7}}));
}

TEST(Census, WhoIsBornLaterBringsItsWholeLife) {
  MemoryFs fs;
  Put(fs, {.pid = 10});
  Census census(fs);
  Ticks(census);
  Put(fs, {.pid = 11, .parent = 10, .own = 4, .waited = 2});
  EXPECT_EQ(Ticks(census), (Uses{{10, 0}, {11, 6}}));
}

TEST(Census, AShortLifeGoesToItsParent) {
  MemoryFs fs;
  Put(fs, {.pid = 10, .own = 1});
  Census census(fs);
  Ticks(census);
  // Born and waited for in between.
  Put(fs, {.pid = 10, .own = 2, .waited = 30});
  EXPECT_EQ(Ticks(census), (Uses{{10, 31}}));
}

TEST(Census, WhatWasChargedToTheDeadIsNotChargedAgain) {
  MemoryFs fs;
  Put(fs, {.pid = 10});
  Put(fs, {.pid = 11, .parent = 10, .own = 5});
  Census census(fs);
  Ticks(census);
  Put(fs, {.pid = 11, .parent = 10, .own = 25});
  EXPECT_EQ(Ticks(census), (Uses{{10, 0}, {11, 20}}));
  fs.Remove("/proc/11");
  Put(fs, {.pid = 10, .waited = 27});
  EXPECT_EQ(Ticks(census), (Uses{{10, 0}, {11, 2}}));
  EXPECT_EQ(Ticks(census), (Uses{{10, 0}}));
}

TEST(Census, TheDeadGetNoMoreThanTheyUsedBefore) {
  MemoryFs fs;
  Put(fs, {.pid = 10});
  Put(fs, {.pid = 11, .parent = 10, .own = 5});
  Census census(fs);
  Ticks(census);
  Put(fs, {.pid = 11, .parent = 10, .own = 8});
  Ticks(census);
  fs.Remove("/proc/11");
  // Its own 8, and 40 of which others nobody saw must have used most.
  Put(fs, {.pid = 10, .waited = 48});
  EXPECT_EQ(Ticks(census), (Uses{{10, 37}, {11, 3}}));
}

TEST(Census, ADeadFamilyIsSettledWithItsNearestLivingAncestor) {
  MemoryFs fs;
  Put(fs, {.pid = 10});
  Put(fs, {.pid = 11, .parent = 10, .own = 5});
  Put(fs, {.pid = 12, .parent = 11, .own = 8});
  Census census(fs);
  Ticks(census);
  fs.Remove("/proc/11");
  fs.Remove("/proc/12");
  Put(fs, {.pid = 10, .waited = 5 + 8 + 3});
  EXPECT_EQ(Ticks(census), (Uses{{10, 3}}));
}

TEST(Census, AParentThatDoesNotWaitPaysNothing) {
  MemoryFs fs;
  Put(fs, {.pid = 10, .waited = 4});
  Put(fs, {.pid = 11, .parent = 10, .own = 5});
  Census census(fs);
  Ticks(census);
  fs.Remove("/proc/11");
  EXPECT_EQ(Ticks(census), (Uses{{10, 0}}));
}

TEST(Census, AReusedPidIsAnotherProcess) {
  MemoryFs fs;
  Put(fs, {.pid = 10});
  Put(fs, {.pid = 11, .parent = 10, .own = 500, .start = 7});
  Census census(fs);
  Ticks(census);
  Put(fs, {.pid = 10, .waited = 501});
  Put(fs, {.pid = 11, .parent = 10, .own = 3, .start = 900});
  EXPECT_EQ(Ticks(census), (Uses{{10, 1}, {11, 3}}));
}

TEST(Census, PidsUsedAgainInARingEnd) {
  MemoryFs fs;
  Put(fs, {.pid = 11, .parent = 12, .own = 1});
  Put(fs, {.pid = 12, .parent = 11, .own = 1});
  Put(fs, {.pid = 10});
  Census census(fs);
  Ticks(census);
  fs.Remove("/proc/11");
  fs.Remove("/proc/12");
  EXPECT_EQ(Ticks(census), (Uses{{10, 0}}));
}

TEST(Census, KnowsUserAndGroup) {
  MemoryFs fs;
  Put(fs, {.pid = 10, .name = "a) (b"});
  fs.Write("/proc/10/status", "Name:\ta\nUid:\t1000\t0\t0\t0\nGid:\t5\n");
  fs.Write("/proc/10/cgroup", "0::/system.slice/a.service\n");
  Put(fs, {.pid = 11});
  fs.Write("/proc/self", "not a process");
  Census census(fs);
  const auto uses = *census.Take();
  ASSERT_EQ(uses.size(), 2U);
  EXPECT_EQ(uses[0].name, "a) (b");
  EXPECT_EQ(uses[0].user, 1000U);
  EXPECT_EQ(uses[0].cgroup, "/system.slice/a.service");
  EXPECT_EQ(uses[1].cgroup, "/");
}

TEST(Census, SeesAProcessThatItsContainerTookIn) {
  MemoryFs fs;
  Put(fs, {.pid = 10});
  fs.Write("/proc/10/cgroup", "0::/runtime\n");
  Census census(fs);
  EXPECT_EQ(census.Take()->front().cgroup, "/runtime");
  fs.Write("/proc/10/cgroup", "0::/docker/x\n");
  EXPECT_EQ(census.Take()->front().cgroup, "/docker/x");
}

TEST(Census, HalfWrittenTextIsNoProcess) {
  MemoryFs fs;
  Put(fs, {.pid = 10});
  fs.Write("/proc/11/stat", "11 (a) S 1 1 1 0 -1 4194304 0 0 0 0 12");
  Census census(fs);
  EXPECT_EQ(Ticks(census), (Uses{{10, 0}}));
}

// Random families that fork, work, end and are waited for: whatever is seen
// when, no tick is charged twice, and where everybody waits none is lost.
// ---- Who did not run --------------------------------------------------------

void PutSchedule(MemoryFs& fs, pid_t pid, int times) {
  fs.Write("/proc/" + std::to_string(pid) + "/schedstat",
           std::to_string(1000 + times) + " 5 " + std::to_string(times) + "\n");
}

// Its stat is not read while its schedule says that it did not run: what it
// says is then wrong on purpose.
TEST(Census, WhoDidNotRunIsNotReadAgain) {
  MemoryFs fs;
  Put(fs, {.pid = 10, .own = 5});
  PutSchedule(fs, 10, 1);
  Census census(fs);
  Ticks(census);
  EXPECT_EQ(Ticks(census), (Uses{{10, 0}}));  // its schedule is known from here
  Put(fs, {.pid = 10, .own = 99});
  EXPECT_EQ(Ticks(census), (Uses{{10, 0}}));
  PutSchedule(fs, 10, 2);
  EXPECT_EQ(Ticks(census), (Uses{{10, 94}}));  // nothing is lost
}

TEST(Census, WhoIsRunningOrHasThreadsOrNoScheduleIsReadEachTime) {
  const auto expect_read = [](const std::string& from, const std::string& to,
                              const std::string& schedule) {
    MemoryFs fs;
    const auto put = [&](int own) {
      Put(fs, {.pid = 10, .own = own});
      std::string text = *fs.Read("/proc/10/stat");
      text.replace(text.find(from), from.size(), to);
      fs.Write("/proc/10/stat", text);
    };
    put(5);
    fs.Write("/proc/10/schedstat", schedule);
    Census census(fs);
    for (int i = 0; i < 3; ++i) Ticks(census);
    put(8);
    EXPECT_EQ(Ticks(census), (Uses{{10, 3}})) << to << schedule;
  };
  expect_read(") S ", ") R ", "1000 5 1\n");
  expect_read(" 20 0 1 0 ", " 20 0 2 0 ", "1000 5 1\n");
  expect_read(") S ", ") S ", "0 0 0\n");  // the kernel does not count
  expect_read(") S ", ") S ", "garbage\n");
}

TEST(Census, AnOrphanThatSleepsIsKnownByItsNewParent) {
  MemoryFs fs;
  Put(fs, {.pid = 1, .parent = 0});
  Put(fs, {.pid = 10, .parent = 1});
  Put(fs, {.pid = 11, .parent = 10});
  PutSchedule(fs, 11, 1);
  Census census(fs);
  for (int i = 0; i < 3; ++i) Ticks(census);
  fs.Remove("/proc/10");
  Put(fs, {.pid = 11, .parent = 1});
  const auto uses = *census.Take();
  const auto orphan =
      std::find_if(uses.begin(), uses.end(),
                   [](const ProcessCpuUse& use) { return use.pid == 11; });
  ASSERT_NE(orphan, uses.end());
  EXPECT_EQ(orphan->parent, 1);
}

TEST(Census, ConservesCpuTimeOfRandomFamilies) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Rng rng(seed);
    const auto upto = [&](uint64_t n) {
      return static_cast<int>(rng.Below(static_cast<uint32_t>(n)));
    };
    // The same families twice: in `told` their schedules say who ran.
    MemoryFs fs, told;
    int runs = 0;
    const auto stays = [&](const FakeProcess& process) {
      Put(fs, process);
      Put(told, process);
    };
    const auto ran = [&](const FakeProcess& process) {
      stays(process);
      PutSchedule(told, process.pid, ++runs);
    };
    const auto ends = [&](pid_t pid) {
      fs.Remove("/proc/" + std::to_string(pid));
      told.Remove("/proc/" + std::to_string(pid));
    };
    std::map<pid_t, FakeProcess> alive{{1, {.pid = 1, .parent = 0}}};
    ran(alive[1]);
    Census census(fs), quick(told);
    const auto look = [&] {
      const Uses uses = Ticks(census);
      EXPECT_EQ(Ticks(quick), uses) << "seed " << seed;
      return uses;
    };
    look();
    int worked = 0;
    double charged = 0;
    pid_t next = 2;
    for (int step = 0; step < 60; ++step) {
      auto at = std::next(alive.begin(), upto(alive.size()));
      FakeProcess& one = at->second;
      switch (upto(4)) {
        case 0: {
          const FakeProcess child{
              .pid = next, .parent = one.pid, .start = next};
          alive[next++] = child;
          ran(child);
          break;
        }
        case 1: {  // ends; orphans go to the first process
          if (one.pid == 1) break;
          const FakeProcess dead = one;
          alive.erase(at);
          ends(dead.pid);
          FakeProcess& parent = alive[dead.parent];
          parent.waited += dead.own + dead.waited;
          ran(parent);
          for (auto& [pid, orphan] : alive) {
            if (orphan.parent != dead.pid) continue;
            orphan.parent = 1;
            stays(orphan);
          }
          break;
        }
        case 2: {
          const int ticks = upto(20);
          one.own += ticks;
          worked += ticks;
          ran(one);
          break;
        }
        default:
          for (const auto& [pid, ticks] : look()) charged += ticks;
          ASSERT_LE(charged, worked) << "seed " << seed;
      }
    }
    // Everybody ends and is waited for.
    while (alive.size() > 1) {
      const FakeProcess dead = alive.rbegin()->second;
      alive.erase(dead.pid);
      ends(dead.pid);
      FakeProcess& parent = alive[dead.parent];
      parent.waited += dead.own + dead.waited;
      ran(parent);
    }
    for (const auto& [pid, ticks] : look()) charged += ticks;
    EXPECT_EQ(charged, worked) << "seed " << seed;
  }
}

// The machine's own /proc: a child too short-lived to be seen is found in us.
TEST(Census, OfThisMachine) {
  const RootFs fs;
  Census census(fs);
  ASSERT_TRUE(census.Take());
  constexpr double kSeconds = 0.2;
  const pid_t child = fork();
  if (child == 0) {
    timespec cpu{};
    do {
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    } while (static_cast<double>(cpu.tv_sec) +
                 1e-9 * static_cast<double>(cpu.tv_nsec) <
             kSeconds);
    _exit(0);
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  const auto uses = census.Take();
  ASSERT_TRUE(uses);
  const auto own =
      std::find_if(uses->begin(), uses->end(),
                   [](const auto& use) { return use.pid == getpid(); });
  ASSERT_NE(own, uses->end());
  EXPECT_GE(own->cpu.value(), kSeconds * 0.8);
  EXPECT_EQ(own->user, getuid());
}

// The machine's own schedules: who slept through some looks and then works is
// charged at the next.
TEST(Census, OfThisMachineSleepersThatWake) {
  int wake[2], slept[2];
  ASSERT_EQ(pipe(wake), 0);
  ASSERT_EQ(pipe(slept), 0);
  char byte = 0;
  const pid_t child = fork();
  if (child == 0) {
    close(wake[1]);
    while (read(wake[0], &byte, 1) == 1) {
      timespec begin{}, now{};
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
      do {
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
      } while ((now.tv_sec - begin.tv_sec) * 1'000'000'000 + now.tv_nsec -
                   begin.tv_nsec <
               100'000'000);
      if (write(slept[1], &byte, 1) != 1) break;
    }
    _exit(0);
  }
  const RootFs fs;
  Census census(fs);
  for (int round = 0; round < 3; ++round) {
    for (int look = 0; look < 4; ++look) Ticks(census);
    EXPECT_EQ(Ticks(census)[child], 0);
    ASSERT_EQ(write(wake[1], &byte, 1), 1);
    ASSERT_EQ(read(slept[0], &byte, 1), 1);
    EXPECT_NEAR(Ticks(census)[child] * HostCpuReader::Tick().value(), 0.1,
                0.03);
  }
  for (const int fd : {wake[1], wake[0], slept[0], slept[1]}) close(fd);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
}

}  // namespace
}  // namespace modicum
