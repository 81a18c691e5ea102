// SPDX-License-Identifier: Apache-2.0
#include "cli/watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "cli/watch_view.h"
#include "meter/fake_machine.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct FakeProcess {
  pid_t pid = 0;
  pid_t parent = 1;
  std::string name = "work";
  int user = 0;
  std::string cgroup = "/";
};

class WatcherTest : public testing::Test {
 protected:
  WatcherTest() {
    fs_.Write("/etc/passwd",
              "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/a:/bin/sh\n");
    Add({.pid = 10, .name = "sh", .user = 1000});
    Add({.pid = 11, .parent = 10, .name = "train", .user = 1000});
    Add({.pid = 20, .name = "train", .cgroup = "/system.slice/job.service"});
  }

  void Add(const FakeProcess& process) {
    processes_[process.pid] = process;
    Use(process.pid, 0);
    const std::string folder = "/proc/" + std::to_string(process.pid);
    fs_.Write(folder + "/status",
              "Name:\tx\nUid:\t" + std::to_string(process.user) + "\t0\n");
    fs_.Write(folder + "/cgroup", "0::" + process.cgroup + "\n");
  }
  // So many ticks more of a process's own CPU time.
  void Use(pid_t pid, int ticks) {
    const FakeProcess& p = processes_[pid];
    const std::string number = std::to_string(pid);
    ticks_[pid] += ticks;
    fs_.Write("/proc/" + number + "/stat",
              number + " (" + p.name + ") S " + std::to_string(p.parent) +
                  " 1 1 0 -1 0 0 0 0 0 " + std::to_string(ticks_[pid]) +
                  " 0 0 0 20 0 1 0 7 0 0\n");
  }
  // Two seconds of two CPUs at 50 W, 10 W of them idle.
  static WindowReading Reading(double busy_seconds) {
    DomainEnergy cpu;
    cpu.domain = {"package-0", "cpu", Scope::kPackage, Origin::kCounter, true};
    cpu.probe = "rapl";
    cpu.energy = Exactly(Joules(100), Origin::kCounter, Scope::kPackage);
    cpu.idle = Exactly(Watts(10), Origin::kCounter, Scope::kPackage);
    WindowReading reading;
    reading.wall = Seconds(2);
    reading.capacity = Seconds(4);
    reading.host_busy = Seconds(busy_seconds);
    reading.domains = {cpu};
    reading.split.measured = cpu.energy;
    return reading;
  }
  static std::vector<std::string> Names(const WatchFrame& frame) {
    std::vector<std::string> names;
    for (const WatchRow& row : frame.rows) names.push_back(row.name);
    return names;
  }
  static double Sum(const WatchFrame& frame) {
    Joules sum = frame.idle.mid + frame.unattributed.mid;
    for (const WatchRow& row : frame.rows) sum += row.energy.own().mid;
    return sum.value();
  }

  MemoryFs fs_;
  std::map<pid_t, FakeProcess> processes_;
  std::map<pid_t, int> ticks_;
};

TEST_F(WatcherTest, RowsByProcessTheGreatestFirst) {
  Watcher watcher(fs_, {}, IdlePolicy::kMarginal);
  ASSERT_TRUE(watcher.Start());
  Use(11, 100);
  Use(20, 50);
  const auto frame = *watcher.Next(Reading(2), WatchBy::kProcess);
  ASSERT_THAT(Names(frame), ElementsAre("train", "train", "sh"));
  EXPECT_THAT(frame.rows[0].pids, ElementsAre(11));
  EXPECT_EQ(frame.rows[0].user, "alice");
  EXPECT_DOUBLE_EQ(frame.rows[0].energy.own().mid.value(), 40);
  EXPECT_DOUBLE_EQ(frame.unattributed.mid.value(), 20);
  EXPECT_DOUBLE_EQ(Sum(frame), 100);
}

TEST_F(WatcherTest, RowsByWhatProcessesBelongTo) {
  Watcher watcher(fs_, {}, IdlePolicy::kMarginal);
  ASSERT_TRUE(watcher.Start());
  Use(11, 100);
  Use(20, 50);
  auto frame = *watcher.Next(Reading(1.5), WatchBy::kCommand);
  EXPECT_THAT(Names(frame), ElementsAre("train", "sh"));
  Use(11, 100);
  frame = *watcher.Next(Reading(1), WatchBy::kUser);
  EXPECT_THAT(Names(frame), ElementsAre("alice", "root"));
  Use(20, 100);
  frame = *watcher.Next(Reading(1), WatchBy::kCgroup);
  EXPECT_THAT(Names(frame), ElementsAre("job.service", "/"));
}

TEST_F(WatcherTest, WhoIsNotAskedForIsOneRow) {
  for (const WatchFilter& filter :
       {WatchFilter{.root = 10}, WatchFilter{.user = 1000}}) {
    Watcher watcher(fs_, filter, IdlePolicy::kMarginal);
    ASSERT_TRUE(watcher.Start());
    Use(11, 100);
    Use(20, 50);
    const auto frame = *watcher.Next(Reading(2), WatchBy::kProcess);
    EXPECT_THAT(Names(frame), ElementsAre("train", "(others)", "sh"));
    EXPECT_DOUBLE_EQ(Sum(frame), 100);
  }
  Watcher watcher(fs_, {.cgroup = "job"}, IdlePolicy::kMarginal);
  ASSERT_TRUE(watcher.Start());
  const auto frame = *watcher.Next(Reading(2), WatchBy::kProcess);
  EXPECT_THAT(Names(frame), ElementsAre("(others)", "train"));
}

TEST_F(WatcherTest, EndsWithTheTreeThatWasAskedFor) {
  Watcher watcher(fs_, {.root = 10}, IdlePolicy::kMarginal);
  ASSERT_TRUE(watcher.Start());
  const auto ended = [&] {
    EXPECT_TRUE(watcher.Next(Reading(2), WatchBy::kProcess));
    return watcher.ended();
  };
  EXPECT_FALSE(ended());
  fs_.Remove("/proc/10");
  EXPECT_FALSE(ended());  // what it started goes on
  fs_.Remove("/proc/11");
  EXPECT_TRUE(ended());
  EXPECT_FALSE(Watcher(fs_, {}, IdlePolicy::kMarginal).ended());
}

TEST_F(WatcherTest, AGroupThatNobodyIsInIsRefused) {
  for (const char* group : {"jbo", "/system.slice/jo"}) {
    Watcher watcher(fs_, {.cgroup = group}, IdlePolicy::kMarginal);
    EXPECT_EQ(watcher.Start().error().code, ErrorCode::kNotFound);
  }
  Watcher watcher(fs_, {.cgroup = "/system.slice"}, IdlePolicy::kMarginal);
  EXPECT_TRUE(watcher.Start());
}

TEST_F(WatcherTest, RowsByATagOfTheRules) {
  const auto rules = *ChargeRules::Parse("user,alice,team=search\n", "r");
  Watcher watcher(fs_, {}, IdlePolicy::kMarginal, rules);
  ASSERT_TRUE(watcher.Start());
  Use(11, 100);
  Use(20, 50);
  const auto by = WatchBy::Parse("team", rules);
  ASSERT_TRUE(by);
  const auto frame = *watcher.Next(Reading(1.5), *by);
  EXPECT_THAT(Names(frame), ElementsAre("search", "(no team)"));
  EXPECT_EQ(frame.rows[0].tags.at("team"), "search");
  EXPECT_EQ(WatchBy::Parse("tea", rules).error().message,
            "--by: unknown 'tea', did you mean 'team'?");
}

TEST(WatchBy, GoesRound) {
  WatchBy by(WatchBy::kProcess);
  for (int i = 0; i < 4; ++i) by = by.Next("");
  EXPECT_EQ(by.name(), "process");
  for (int i = 0; i < 4; ++i) by = by.Next("team");
  EXPECT_EQ(by.name(), "team");
  EXPECT_EQ(by.Next("team").name(), "process");
}

TEST_F(WatcherTest, APathOfAGroupIsNotItsNeighboursPrefix) {
  Add({.pid = 30, .name = "other", .cgroup = "/system.slice/job.service2"});
  Add({.pid = 31, .name = "below", .cgroup = "/system.slice/job.service/x"});
  Watcher watcher(fs_, {.cgroup = "/system.slice/job.service"},
                  IdlePolicy::kMarginal);
  ASSERT_TRUE(watcher.Start());
  Use(20, 3);
  Use(31, 2);
  const auto frame = *watcher.Next(Reading(2), WatchBy::kProcess);
  EXPECT_THAT(Names(frame), ElementsAre("train", "below", "(others)"));
}

TEST_F(WatcherTest, AChildStaysInTheTreeWhenItsParentEnds) {
  Watcher watcher(fs_, {.root = 10}, IdlePolicy::kMarginal);
  ASSERT_TRUE(watcher.Start());
  fs_.Remove("/proc/10");
  processes_[11].parent = 1;
  Use(11, 100);
  const auto frame = *watcher.Next(Reading(1), WatchBy::kProcess);
  EXPECT_EQ(frame.rows[0].name, "train");
}

TEST_F(WatcherTest, TotalsOfRandomIntervalsAreConserved) {
  Rng rng(1);
  Watcher watcher(fs_, {}, IdlePolicy::kProportional);
  ASSERT_TRUE(watcher.Start());
  Joules nobodys;
  for (int i = 1; i <= 100; ++i) {
    for (const pid_t pid : {10, 11, 20})
      Use(pid, static_cast<int>(rng.Below(80)));
    const auto frame = *watcher.Next(Reading(4 * rng.Unit()), WatchBy::kUser);
    EXPECT_NEAR(Sum(frame), 100, 1e-9);
    nobodys += frame.idle.mid + frame.unattributed.mid;
    Joules total = nobodys;
    for (const WatchRow& row : frame.rows) total += row.total.mid;
    EXPECT_NEAR(total.value(), 100.0 * i, 1e-6);
    EXPECT_NEAR(frame.total.mid.value(), 100.0 * i, 1e-6);
  }
}

TEST_F(WatcherTest, ATableSumsWhatItLeavesOut) {
  Watcher watcher(fs_, {}, IdlePolicy::kMarginal);
  ASSERT_TRUE(watcher.Start());
  Use(11, 100);
  Use(20, 50);
  const auto frame = *watcher.Next(Reading(2), WatchBy::kProcess);
  Place place;
  place.name = "Poland";
  const std::string text = FormatWatch(frame, {.rows = 1}, place, {});
  EXPECT_THAT(text, HasSubstr("(2 more)"));
  EXPECT_THAT(text, HasSubstr("20.0 % of the machine's"));
  EXPECT_EQ(FormatWatch(frame, {.rows = 0}, place, {}).find("train"),
            std::string::npos);
}

TEST_F(WatcherTest, ANameCannotMoveTheCursor) {
  Add({.pid = 40, .name = "\x1b[2J"});
  Watcher watcher(fs_, {}, IdlePolicy::kMarginal);
  ASSERT_TRUE(watcher.Start());
  const auto frame = *watcher.Next(Reading(2), WatchBy::kProcess);
  EXPECT_EQ(FormatWatch(frame, {}, Place{}, {}).find('\x1b'),
            std::string::npos);
}

TEST(UserNames, OfPasswdAndNumbers) {
  MemoryFs fs;
  fs.Write("/etc/passwd",
           "root:x:0:0::/:/bin/sh\n# no user\nbroken:x\nalice:x:1000:1:::\n"
           "twin:x:1000:1:::");
  const UserNames users(fs);
  EXPECT_EQ(users.NameOf(1000), "alice");
  EXPECT_EQ(users.NameOf(7), "7");
  EXPECT_EQ(users.Find("root"), 0U);
  EXPECT_EQ(users.Find("1000"), 1000U);
  EXPECT_FALSE(users.Find("broken"));
}

}  // namespace
}  // namespace modicum
