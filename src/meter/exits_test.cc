// SPDX-License-Identifier: Apache-2.0
#include "meter/exits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/acct.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <ctime>

#include "base/rng.h"
#include "meter/census.h"
#include "meter/fake_machine.h"
#include "meter/host_cpu.h"

namespace modicum {
namespace {

using Octets = std::vector<uint8_t>;

void Append(Octets& bytes, const void* data, size_t size) {
  const auto* first = static_cast<const uint8_t*>(data);
  bytes.insert(bytes.end(), first, first + size);
  while (bytes.size() % 4 != 0) bytes.push_back(0);
}

Octets Attribute(uint16_t type, const Octets& content) {
  const nlattr head = {static_cast<uint16_t>(sizeof(nlattr) + content.size()),
                       type};
  Octets bytes;
  Append(bytes, &head, sizeof head);
  Append(bytes, content.data(), content.size());
  return bytes;
}

taskstats SomeStats() {
  taskstats stats = {};
  stats.version = 13;
  stats.ac_flag = AGROUP;
  stats.ac_tgid = 42;
  stats.ac_pid = 42;
  stats.ac_ppid = 7;
  stats.ac_uid = 1000;
  stats.cpu_run_virtual_total = 12'345'678;
  stats.ac_utime = 10'000;
  stats.ac_stime = 2'000;
  std::strcpy(stats.ac_comm, "cc1plus");
  return stats;
}

// As the kernel sends it; `longer`: fields that we do not know.
Octets Message(const taskstats& stats, size_t longer = 0) {
  Octets content(sizeof stats + longer);
  std::memcpy(content.data(), &stats, sizeof stats);
  const uint32_t pid = stats.ac_pid;
  Octets id(sizeof pid);
  std::memcpy(id.data(), &pid, sizeof pid);
  Octets inner = Attribute(TASKSTATS_TYPE_PID, id);
  const Octets outer = Attribute(TASKSTATS_TYPE_STATS, content);
  inner.insert(inner.end(), outer.begin(), outer.end());
  const Octets thread = Attribute(TASKSTATS_TYPE_AGGR_PID, inner);
  nlmsghdr head = {};
  head.nlmsg_len =
      static_cast<uint32_t>(NLMSG_HDRLEN + GENL_HDRLEN + thread.size());
  head.nlmsg_type = 31;
  genlmsghdr generic = {};
  generic.cmd = TASKSTATS_CMD_NEW;
  Octets bytes;
  Append(bytes, &head, sizeof head);
  Append(bytes, &generic, sizeof generic);
  bytes.insert(bytes.end(), thread.begin(), thread.end());
  return bytes;
}

TEST(ParseThreadExit, SaysWhoEndedAndWhatHeUsed) {
  for (const size_t longer : {0U, 160U}) {
    const auto exit = ParseThreadExit(Message(SomeStats(), longer));
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->process, 42);
    EXPECT_EQ(exit->parent, 7);
    EXPECT_EQ(exit->user, 1000U);
    EXPECT_EQ(exit->name, "cc1plus");
    EXPECT_TRUE(exit->last);
    EXPECT_DOUBLE_EQ(exit->cpu.value(), 0.012345678);
  }
}

TEST(ParseThreadExit, WithoutTheSchedulersCountTicksAreTaken) {
  taskstats stats = SomeStats();
  stats.cpu_run_virtual_total = 0;
  stats.ac_flag = 0;
  const auto exit = ParseThreadExit(Message(stats));
  ASSERT_TRUE(exit);
  EXPECT_DOUBLE_EQ(exit->cpu.value(), 0.012);
  EXPECT_FALSE(exit->last);
}

// Fields of others stand elsewhere, or are not there.
TEST(ParseThreadExit, VersionsThatDifferAreLeftOut) {
  for (const int version : {0, 8, 11, 15}) {
    taskstats stats = SomeStats();
    stats.version = static_cast<uint16_t>(version);
    EXPECT_FALSE(ParseThreadExit(Message(stats))) << version;
  }
  for (const int version : {12, 14, 16, 17}) {
    taskstats stats = SomeStats();
    stats.version = static_cast<uint16_t>(version);
    EXPECT_TRUE(ParseThreadExit(Message(stats))) << version;
  }
}

TEST(ParseThreadExit, WhatIsCutOffIsNone) {
  const Octets message = Message(SomeStats());
  for (size_t size = 0; size < message.size(); ++size)
    EXPECT_FALSE(ParseThreadExit(std::span(message).first(size))) << size;
  nlmsghdr error = {};
  error.nlmsg_type = NLMSG_ERROR;
  Octets other = message;
  std::memcpy(other.data(), &error, sizeof error);
  EXPECT_FALSE(ParseThreadExit(other));
}

// The kernel's end of the socket.
class ExitsTest : public testing::Test {
 protected:
  ExitsTest() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
    kernel_ = ends[0];
    source_ = ExitsFrom(ends[1]);
  }
  ~ExitsTest() override { close(kernel_); }
  void Tell(const Octets& bytes) const {
    EXPECT_EQ(send(kernel_, bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
  }
  void Exit(uint32_t pid, uint32_t parent, double milliseconds,
            const char* name = "cc1", bool last = true) const {
    taskstats stats = SomeStats();
    stats.ac_tgid = pid;
    stats.ac_ppid = parent;
    stats.ac_flag = last ? AGROUP : 0;
    stats.cpu_run_virtual_total = static_cast<uint64_t>(milliseconds * 1e6);
    stats.ac_utime = stats.ac_stime = 0;
    std::strcpy(stats.ac_comm, name);
    Tell(Message(stats));
  }

  int kernel_ = -1;
  std::unique_ptr<ExitSource> source_;
};

TEST_F(ExitsTest, DrainsWhatCameAndNoMore) {
  EXPECT_TRUE(source_->Drain()->empty());
  Exit(42, 7, 10);
  Tell({1, 2, 3});
  Exit(43, 7, 20);
  const auto exits = *source_->Drain();
  ASSERT_EQ(exits.size(), 2U);
  EXPECT_EQ(exits[1].process, 43);
  EXPECT_TRUE(source_->Drain()->empty());
}

// A machine whose processes a test moves, and whose exits the kernel tells.
class ExactCensusTest : public ExitsTest {
 protected:
  ExactCensusTest() : census_(fs_, std::move(source_)) {}
  void Put(int pid, int parent, int own, int waited = 0) {
    fs_.Write("/proc/" + std::to_string(pid) + "/stat",
              std::to_string(pid) + " (make) S " + std::to_string(parent) +
                  " 1 1 0 -1 4194304 0 0 0 0 " + std::to_string(own) + " 0 " +
                  std::to_string(waited) + " 0 20 0 1 0 7 1000 10\n");
    fs_.Write("/proc/" + std::to_string(pid) + "/cgroup", "0::/build\n");
  }
  void Remove(int pid) { fs_.Remove("/proc/" + std::to_string(pid)); }
  // Milliseconds by name and pid: "make 10".
  std::map<std::string, double> Milliseconds() {
    std::map<std::string, double> all;
    const auto uses = *census_.Take();
    for (const ProcessCpuUse& use : uses) {
      all[use.name + " " + std::to_string(use.pid)] =
          std::round(use.cpu.value() * 1e6) / 1e3;
      groups_[use.pid] = use.cgroup;
    }
    return all;
  }
  using All = std::map<std::string, double>;

  MemoryFs fs_;
  Census census_;
  std::map<pid_t, std::string> groups_;
};

TEST_F(ExactCensusTest, TheUnseenHaveEntriesOfTheirOwn) {
  Put(10, 1, 0);
  Exit(5, 1, 700);  // before the beginning
  EXPECT_EQ(Milliseconds(), (All{{"make 10", 0}}));
  // Two lived and died; the kernel has their time in their parent's, too.
  Exit(11, 10, 12.5);
  Exit(12, 11, 30);
  Put(10, 1, 2, 4);
  const double tick = HostCpuReader::Tick().value() * 1e3;
  EXPECT_EQ(Milliseconds(),
            (All{{"make 10", 2 * tick}, {"cc1 11", 12.5}, {"cc1 12", 30}}));
  EXPECT_EQ(groups_[11], "/build");
  EXPECT_EQ(groups_[12], "/build");  // by its dead parent's parent
  EXPECT_EQ(Milliseconds(), (All{{"make 10", 0}}));
}

// The kernel tells of an exit before it takes the memory down: the parent's
// time has all of it.
TEST_F(ExactCensusTest, WhatTheEndItselfTookIsTheirsToo) {
  const double tick = HostCpuReader::Tick().value() * 1e3;
  Put(10, 1, 0);
  Milliseconds();
  Exit(11, 10, 1.25 * tick);
  Exit(12, 10, 2.5 * tick);
  Put(10, 1, 1, 9);
  All uses = Milliseconds();
  EXPECT_EQ(uses["make 10"], tick);
  EXPECT_NEAR(uses["cc1 11"], 3 * tick, 1e-9);
  EXPECT_NEAR(uses["cc1 12"], 6 * tick, 1e-9);
  // Less than the counts may differ by is kept until it is more.
  Exit(13, 10, 3 * tick);
  Put(10, 1, 1, 13);
  EXPECT_NEAR(Milliseconds()["cc1 13"], 3 * tick, 1e-9);
  Exit(14, 10, 3 * tick);
  Put(10, 1, 1, 18);
  EXPECT_NEAR(Milliseconds()["cc1 14"], 6 * tick, 1e-9);
  // Those of the dead are not theirs again: 15 waited for 16.
  Put(15, 10, 0);
  Milliseconds();
  Exit(16, 15, 4 * tick);
  Put(15, 10, 0, 4);
  EXPECT_NEAR(Milliseconds()["cc1 16"], 4 * tick, 1e-9);
  Exit(15, 10, 2 * tick, "make");
  Remove(15);
  Put(10, 1, 1, 24);
  uses = Milliseconds();
  EXPECT_NEAR(uses["make 15"], 2 * tick, 1e-9);
  EXPECT_EQ(uses["make 10"], 0);
  EXPECT_EQ(uses.size(), 2U);
}

// Told of late, as the parent's time was read before.
TEST_F(ExactCensusTest, WhatIsWaitedForALookLaterIsNotSharedAgain) {
  const double tick = HostCpuReader::Tick().value() * 1e3;
  Put(10, 1, 0);
  Milliseconds();
  Exit(11, 10, 5 * tick);
  EXPECT_NEAR(Milliseconds()["cc1 11"], 5 * tick, 1e-9);
  Put(10, 1, 0, 5);
  EXPECT_EQ(Milliseconds(), (All{{"make 10", 0}}));
  // Nobody is told of: it is who waited's.
  Put(10, 1, 0, 9);
  EXPECT_EQ(Milliseconds(), (All{{"make 10", 4 * tick}}));
}

// The word of an exit may have been lost in the look before.
TEST_F(ExactCensusTest, WhoWasChargedIsNotChargedToItsParentToo) {
  const double tick = HostCpuReader::Tick().value() * 1e3;
  Put(10, 1, 0);
  Put(11, 10, 5);
  Milliseconds();
  Put(11, 10, 9);
  EXPECT_EQ(Milliseconds(), (All{{"make 10", 0}, {"make 11", 4 * tick}}));
  Remove(11);
  Put(10, 1, 0, 9);
  EXPECT_EQ(Milliseconds(), (All{{"make 10", 0}}));
  // But for what it used since.
  Put(12, 10, 5);
  EXPECT_EQ(Milliseconds(), (All{{"make 10", 0}, {"make 12", 5 * tick}}));
  Remove(12);
  Put(10, 1, 0, 9 + 5 + 3);
  EXPECT_EQ(Milliseconds(), (All{{"make 10", 3 * tick}}));
}

TEST_F(ExactCensusTest, WhoWasSeenGetsTheRest) {
  Put(10, 1, 0);
  Put(11, 10, 1);
  Milliseconds();
  const double tick = HostCpuReader::Tick().value() * 1e3;
  Exit(11, 10, 1 * tick + 7.5);
  Remove(11);
  EXPECT_EQ(Milliseconds(), (All{{"make 10", 0}, {"make 11", 7.5}}));
}

// A process ends with the last of its threads, and counts them all.
TEST_F(ExactCensusTest, ThreadsAreAddedUp) {
  Put(10, 1, 0);
  Milliseconds();
  Exit(11, 10, 10, "worker", false);
  Put(11, 10, 0);
  Milliseconds();
  Exit(11, 10, 20, "worker", false);
  Exit(11, 10, 5);
  Remove(11);
  EXPECT_EQ(Milliseconds(), (All{{"make 10", 0}, {"make 11", 35}}));
}

// Until it is waited for, /proc has all that a zombie used.
TEST_F(ExactCensusTest, AZombieIsNotCountedTwice) {
  Put(10, 1, 0);
  Milliseconds();
  const double tick = HostCpuReader::Tick().value() * 1e3;
  Exit(11, 10, 3 * tick);
  Put(11, 10, 3);
  EXPECT_EQ(Milliseconds(), (All{{"make 10", 0}, {"make 11", 3 * tick}}));
  Remove(11);
  Put(10, 1, 0, 3);
  EXPECT_EQ(Milliseconds(), (All{{"make 10", 0}}));
}

// What is lost is found at the parent, as without the kernel's word.
class LosingSource final : public ExitSource {
 public:
  Result<std::vector<ThreadExit>> Drain() override {
    return Fail(ErrorCode::kRetry, "taskstats: some exits were lost");
  }
};

// Random processes that fork, work, are looked at and end, some between looks:
// what all of them are charged is what all of them worked, at every look.
TEST_F(ExactCensusTest, ConservesCpuTimeOfRandomProcesses) {
  const double tick = HostCpuReader::Tick().value() * 1e3;
  Rng rng(1);
  std::map<int, int> alive;  // ticks by pid
  int next = 10, worked = 0;
  double charged = 0;
  Milliseconds();
  for (int step = 0; step < 3000; ++step) {
    const auto any = [&] {
      return std::next(
          alive.begin(),
          static_cast<int>(rng.Below(static_cast<uint32_t>(alive.size()))));
    };
    switch (alive.empty() ? 0 : rng.Below(4)) {
      case 0:
        alive[next] = 0;
        Put(next++, 1, 0);
        break;
      case 1: {
        const auto one = any();
        const int ticks = static_cast<int>(rng.Below(20));
        worked += ticks;
        one->second += ticks;
        Put(one->first, 1, one->second);
        break;
      }
      case 2: {
        const auto one = any();
        Exit(static_cast<uint32_t>(one->first), 1, one->second * tick);
        Remove(one->first);
        alive.erase(one);
        break;
      }
      default:
        for (const auto& [name, milliseconds] : Milliseconds())
          charged += milliseconds;
        ASSERT_NEAR(charged, worked * tick, 1e-3) << step;
    }
  }
  EXPECT_GT(worked, 1000);
}

TEST(LossyCensus, GoesByWhatParentsWaitedFor) {
  MemoryFs fs;
  const auto put = [&fs](int waited) {
    fs.Write("/proc/10/stat", "10 (make) S 1 1 1 0 -1 4194304 0 0 0 0 0 0 " +
                                  std::to_string(waited) +
                                  " 0 20 0 1 0 7 1000 10\n");
  };
  put(0);
  Census census(fs, std::make_unique<LosingSource>());
  ASSERT_TRUE(census.Take());
  put(4);
  const auto uses = *census.Take();
  ASSERT_EQ(uses.size(), 1U);
  EXPECT_EQ(uses[0].cpu, HostCpuReader::Tick() * 4);
}

TEST(OpenExits, ARecordedMachineTellsNone) {
  const RootFs fs(std::string(MODICUM_SOURCE_DIR) +
                  "/tests/roots/xeon-2s-rapl-dram");
  EXPECT_FALSE(OpenExits(fs).has_value());
  EXPECT_EQ(ExitsOrNone(fs), nullptr);
}

void Spin(double seconds) {
  timespec cpu{};
  do {
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  } while (static_cast<double>(cpu.tv_sec) +
               1e-9 * static_cast<double>(cpu.tv_nsec) <
           seconds);
}

// Real processes of 50 ms, where the kernel may be asked.
TEST(OpenExits, OfThisMachine) {
  const RootFs fs;
  auto exits = OpenExits(fs);
  if (!exits) GTEST_SKIP() << exits.error().message;
  Census census(fs, *std::move(exits));
  ASSERT_TRUE(census.Take());
  std::vector<pid_t> children;
  for (int i = 0; i < 5; ++i) {
    children.push_back(fork());
    if (children.back() == 0) {
      Spin(0.05);
      _exit(0);
    }
    ASSERT_EQ(waitpid(children.back(), nullptr, 0), children.back());
  }
  const auto uses = *census.Take();
  for (const pid_t child : children) {
    const auto found = std::ranges::find(uses, child, &ProcessCpuUse::pid);
    ASSERT_NE(found, uses.end());
    EXPECT_GE(found->cpu, Seconds(0.05));
    EXPECT_LT(found->cpu, Seconds(0.5));
    EXPECT_EQ(found->parent, getpid());
    EXPECT_EQ(found->user, getuid());
  }
  // What they used is not ours: 0.25 s, where forking costs us some.
  const auto own = std::ranges::find(uses, getpid(), &ProcessCpuUse::pid);
  ASSERT_NE(own, uses.end());
  EXPECT_LT(own->cpu, Seconds(0.2));
}

}  // namespace
}  // namespace modicum
