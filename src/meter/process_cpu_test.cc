// SPDX-License-Identifier: Apache-2.0
#include "meter/process_cpu.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

#include "base/fake_clock.h"
#include "meter/fake_machine.h"
#include "meter/host_cpu.h"

namespace modicum {
namespace {

constexpr pid_t kSelf = 100;

struct FakeProcess {
  pid_t pid;
  pid_t parent;
  int own = 0;     // ticks
  int waited = 0;  // of children it waited for
  int start = 7;
  int pages = 10;  // of memory
  int cpu = 0;     // where it ran last
};

void Put(MemoryFs& fs, const FakeProcess& p) {
  const auto n = [](int number) { return std::to_string(number); };
  // A name with spaces and parentheses, as programs may have.
  fs.Write("/proc/" + n(p.pid) + "/stat",
           n(p.pid) + " (a) b (c) S " + n(p.parent) +
               " 1 1 0 -1 4194304 0 0 0 0 " + n(p.own) + " 0 " + n(p.waited) +
               " 0 20 0 1 0 " + n(p.start) + " 1000 " + n(p.pages) +
               " 0 0 0 0 0 0 0 0 0 0 0 0 0 17 " + n(p.cpu) + "\n");
}

Bytes PageBytes() { return Bytes(static_cast<double>(getpagesize())); }

double Ticks(Seconds cpu) { return cpu / HostCpuReader::Tick(); }

TEST(ProcessTree, ScanFindsDescendantsAndLeavesStrangers) {
  MemoryFs fs;
  Put(fs, {.pid = 1, .parent = 0, .own = 1000});
  Put(fs, {.pid = kSelf, .parent = 1, .own = 500});
  Put(fs, {.pid = 101, .parent = kSelf, .own = 3, .waited = 20});
  Put(fs, {.pid = 50, .parent = 101, .own = 4});  // pids wrapped
  Put(fs, {.pid = 200, .parent = 1, .own = 900});
  ProcessTree tree(fs, kSelf, 0);
  tree.Discover();
  EXPECT_EQ(tree.size(), 2U);
  EXPECT_DOUBLE_EQ(Ticks(tree.LiveCpu()), 27);
}

// One member on the slow CPU, one on the fast one; a stranger beside them.
TEST(ProcessTree, WeighsByTheCpuOfEachMember) {
  MemoryFs fs;
  const auto run = [&fs](int slow, int fast) {
    const auto n = [](int number) { return std::to_string(number); };
    fs.Write("/proc/stat", "cpu  0 0 0 0 0 0 0\ncpu0 " + n(slow) +
                               " 0 0 900 0 0 0\ncpu1 " + n(fast) +
                               " 0 0 900 0 0 0\n");
    Put(fs, {.pid = 101, .parent = kSelf, .own = slow, .cpu = 0});
    Put(fs, {.pid = 102, .parent = kSelf, .own = fast / 2, .cpu = 1});
    Put(fs, {.pid = 200, .parent = 1, .own = fast / 2, .cpu = 1});
  };
  for (const char* cpu : {"0", "1"})
    fs.Write(std::string("/sys/devices/system/cpu/cpu") + cpu +
                 "/cpufreq/scaling_cur_freq",
             *cpu == '0' ? "1000000\n" : "3000000\n");
  Put(fs, {.pid = kSelf, .parent = 1});
  run(0, 0);
  ProcessTree tree(fs, kSelf, 0);
  tree.Discover();
  run(100, 200);
  tree.LiveCpu();
  tree.Weigh();
  // The mean second is that of 100 slow ones and 200 fast ones: 7/3 of a slow.
  EXPECT_NEAR(Ticks(tree.weighed().cpu), 200, 1e-9);
  EXPECT_NEAR(Ticks(tree.weighed().weighed), 100 * 3 / 7. + 100 * 9 / 7., 1e-9);
  tree.Weigh();
  EXPECT_NEAR(Ticks(tree.weighed().cpu), 200, 1e-9);
}

TEST(ProcessTree, ChildrenFilesGiveTheSameTree) {
  MemoryFs fs;
  Put(fs, {.pid = kSelf, .parent = 1});
  Put(fs, {.pid = 101, .parent = kSelf, .own = 3});
  Put(fs, {.pid = 102, .parent = 101, .own = 4});
  Put(fs, {.pid = 103, .parent = 101, .own = 5});
  fs.Write("/proc/100/task/100/children", "101 ");
  fs.Write("/proc/101/task/101/children", "102 ");
  fs.Write("/proc/101/task/104/children", "103 ");  // a thread's child
  fs.Write("/proc/102/task/102/children", "");
  ProcessTree tree(fs, kSelf, 0);
  tree.Discover();
  EXPECT_DOUBLE_EQ(Ticks(tree.LiveCpu()), 12);
}

TEST(ProcessTree, ARootCountsItself) {
  MemoryFs fs;
  Put(fs, {.pid = kSelf, .parent = 1, .own = 9});
  Put(fs, {.pid = 101, .parent = kSelf, .own = 3});
  Put(fs, {.pid = 102, .parent = 101, .own = 4});
  ProcessTree tree(fs, kSelf, 101);
  tree.Discover();
  EXPECT_DOUBLE_EQ(Ticks(tree.LiveCpu()), 7);
}

TEST(ProcessTree, AMemberStaysWhenItsParentEndsAndItIsReparented) {
  MemoryFs fs;
  Put(fs, {.pid = 101, .parent = kSelf, .own = 1});
  Put(fs, {.pid = 102, .parent = 101, .own = 4});
  ProcessTree tree(fs, kSelf, 101);
  tree.Discover();
  fs.Remove("/proc/101");
  Put(fs, {.pid = 102, .parent = 1, .own = 6});
  tree.Discover();
  EXPECT_DOUBLE_EQ(Ticks(tree.LiveCpu()), 6);
}

TEST(ProcessTree, AReusedPidIsNotTheOldMember) {
  MemoryFs fs;
  Put(fs, {.pid = 101, .parent = kSelf, .own = 5, .start = 7});
  ProcessTree tree(fs, kSelf, 0);
  tree.Discover();
  Put(fs, {.pid = 101, .parent = 1, .own = 900, .start = 8});
  EXPECT_EQ(tree.LiveCpu(), Seconds(0));
  EXPECT_EQ(tree.size(), 0U);
}

TEST(ProcessTree, MalformedStatsAreLeftOut) {
  MemoryFs fs;
  for (const char* text : {"", "101", "101 (x", "101 (x) S abc", "101 (x) S"}) {
    fs.Write("/proc/101/stat", text);
    ProcessTree tree(fs, kSelf, 101);
    tree.Discover();
    EXPECT_EQ(tree.size(), 0U) << text;
  }
}

TEST(ProcessTree, KnowsItsLivingMembersOnly) {
  MemoryFs fs;
  Put(fs, {.pid = kSelf, .parent = 1});
  Put(fs, {.pid = 101, .parent = kSelf});
  Put(fs, {.pid = 200, .parent = 1});
  ProcessTree tree(fs, kSelf, 0);
  EXPECT_FALSE(tree.Has(101));  // not looked for yet
  tree.Discover();
  EXPECT_TRUE(tree.Has(101));
  EXPECT_FALSE(tree.Has(200));
  fs.Remove("/proc/101");
  tree.LiveCpu();
  EXPECT_FALSE(tree.Has(101));
}

TEST(ProcessCpu, HasIsOfTheSubjectAlone) {
  const RootFs fs;
  FakeClock clock;
  ProcessCpu cpu(fs, clock);
  EXPECT_TRUE(cpu.Has({}, getpid()));
  EXPECT_FALSE(cpu.Has({}, getppid()));
  EXPECT_FALSE(cpu.Has({Subject::Kind::kTree, 0}, getppid()));
}

void PutIo(MemoryFs& fs, const std::string& path, int read, int written,
           int cancelled = 0) {
  fs.Write(path, "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: " +
                     std::to_string(read) +
                     "\nwrite_bytes: " + std::to_string(written) +
                     "\ncancelled_write_bytes: " + std::to_string(cancelled) +
                     "\n");
}

TEST(ProcessTree, MemoryIsOfTheLiving) {
  MemoryFs fs;
  Put(fs, {.pid = 101, .parent = kSelf, .pages = 3});
  Put(fs, {.pid = 102, .parent = 101, .pages = 4});
  ProcessTree tree(fs, kSelf, 101);
  tree.Discover();
  EXPECT_EQ(tree.memory(), Bytes(0));  // not read yet
  tree.LiveCpu();
  EXPECT_EQ(tree.memory(), PageBytes() * 7);
  fs.Remove("/proc/102");
  tree.LiveCpu();
  EXPECT_EQ(tree.memory(), PageBytes() * 3);
}

TEST(ProcessTree, DiskBytesAreBothWaysLessWhatWasCancelled) {
  MemoryFs fs;
  Put(fs, {.pid = 101, .parent = kSelf});
  Put(fs, {.pid = 102, .parent = 101});
  ProcessTree tree(fs, kSelf, 101);
  tree.Discover();
  PutIo(fs, "/proc/101/io", 4096, 8192, 4096);
  PutIo(fs, "/proc/102/io", 0, 512);
  EXPECT_EQ(tree.LiveDiskBytes(), Bytes(8192 + 512));
  // More was cut off than written: by another process.
  PutIo(fs, "/proc/102/io", 0, 512, 1024);
  EXPECT_EQ(tree.LiveDiskBytes(), Bytes(8192));
  fs.Remove("/proc/102");  // its parent has them, once it waited
  EXPECT_EQ(tree.LiveDiskBytes(), Bytes(8192));
  fs.Write("/proc/101/io", "read_bytes: 1\nwrite_by");
  EXPECT_EQ(tree.LiveDiskBytes(), std::nullopt);
}

TEST(ProcessCpu, DiskBytesOfATreeNeverFall) {
  MemoryFs fs;
  FakeClock clock;
  Put(fs, {.pid = 101, .parent = 1});
  PutIo(fs, "/proc/101/io", 4096, 0);
  ProcessCpu cpu(fs, clock);
  const Subject subject{Subject::Kind::kTree, 101};
  EXPECT_EQ(cpu.Memory(subject), Bytes(0));
  cpu.Read(subject, true);
  EXPECT_EQ(cpu.Memory(subject), PageBytes() * 10);
  EXPECT_EQ(cpu.DiskBytes(subject), Bytes(4096));
  fs.Remove("/proc/101");
  cpu.Read(subject, true);
  EXPECT_EQ(cpu.DiskBytes(subject), Bytes(4096));
  EXPECT_EQ(cpu.Memory(subject), Bytes(0));
}

TEST(ProcessCpu, ATotalNeverFalls) {
  MemoryFs fs;
  FakeClock clock;
  Put(fs, {.pid = 101, .parent = 1, .own = 5});
  ProcessCpu cpu(fs, clock);
  const Subject subject{Subject::Kind::kTree, 101};
  EXPECT_DOUBLE_EQ(Ticks(cpu.Read(subject, true)), 5);
  fs.Remove("/proc/101");
  EXPECT_DOUBLE_EQ(Ticks(cpu.Read(subject, true)), 5);
}

TEST(ProcessCpu, BetweenEdgesNewMembersAreSoughtOnceASecond) {
  MemoryFs fs;
  FakeClock clock;
  Put(fs, {.pid = 101, .parent = 1, .own = 5});
  ProcessCpu cpu(fs, clock);
  const Subject subject{Subject::Kind::kTree, 101};
  cpu.Read(subject, false);
  Put(fs, {.pid = 102, .parent = 101, .own = 2});
  EXPECT_DOUBLE_EQ(Ticks(cpu.Read(subject, false)), 5);
  clock.Tick(Seconds(1));
  EXPECT_DOUBLE_EQ(Ticks(cpu.Read(subject, false)), 7);
}

void BurnCpu(double seconds) {
  timespec ts{};
  do {
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  } while (static_cast<double>(ts.tv_sec) +
               static_cast<double>(ts.tv_nsec) / 1e9 <
           seconds);
}

// 20 processes, orphaned before they work: each lives less than any sampling
// interval, and its parent never waits for it.
TEST(ProcessCpu, ShortLivedOrphansAreCountedExactly) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
  const RootFs fs;
  ProcessCpu cpu(fs, SystemClock());
  const Subject subject{Subject::Kind::kTree, 0};
  const Seconds before = cpu.Read(subject, true);
  const pid_t parent = fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    for (int i = 0; i < 20; ++i) {
      if (fork() == 0) {
        BurnCpu(0.004);
        _exit(0);
      }
    }
    _exit(0);
  }
  while (waitpid(-1, nullptr, 0) > 0) {
  }
  const Seconds used = cpu.Read(subject, true) - before;
  EXPECT_GE(used.value(), 20 * 0.004);
}

// A child that ended and was waited for: the kernel has added what it wrote to
// us, and to none of our threads.
TEST(ProcessCpu, DiskBytesOfTheDeadAreKept) {
  const RootFs fs;
  ProcessCpu cpu(fs, SystemClock());
  const Subject subject{Subject::Kind::kTree, 0};
  cpu.Read(subject, true);
  const auto before = cpu.DiskBytes(subject);
  if (!before) GTEST_SKIP() << "this kernel counts no bytes by process";
  char path[] = "/var/tmp/modicum-io-XXXXXX";
  const int fd = mkstemp(path);
  ASSERT_GE(fd, 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    static char block[1 << 20];
    const bool whole = write(fd, block, sizeof block) == sizeof block;
    _exit(whole && fsync(fd) == 0 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  close(fd);
  unlink(path);
  ASSERT_EQ(status, 0);
  cpu.Read(subject, true);
  const double moved = cpu.DiskBytes(subject)->value() - before->value();
  // A file system in memory writes to no disk.
  EXPECT_TRUE(moved == 0 || moved >= 1 << 20) << moved;
}

TEST(ProcessCpu, ThisProcessHoldsMemory) {
  const RootFs fs;
  ProcessCpu cpu(fs, SystemClock());
  EXPECT_GT(cpu.Memory({}), Bytes(1e5));
  EXPECT_LT(cpu.Memory({}), Bytes(1e12));
}

TEST(ProcessCpu, ThisProcessIsExact) {
  const RootFs fs;
  ProcessCpu cpu(fs, SystemClock());
  const Seconds before = cpu.Read({}, true);
  timespec ts{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  BurnCpu(static_cast<double>(ts.tv_sec) +
          static_cast<double>(ts.tv_nsec) / 1e9 + 0.003);
  EXPECT_GE((cpu.Read({}, true) - before).value(), 0.003);
}

}  // namespace
}  // namespace modicum
