// SPDX-License-Identifier: Apache-2.0
// What a ledger is for: a row whose Put returned is there after a kill at any
// moment, after any failed write, and beside other writers.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/rng.h"
#include "record/fake_runs.h"
#include "record/faulty_disk.h"
#include "record/ledger.h"
#include "record/same.h"
#include "record/sqlite.h"

namespace modicum {
namespace {

using RunRecord = Run;  // in a TEST, Run is the test's own

class LedgerCrashTest : public ::testing::Test {
 protected:
  LedgerCrashTest() {
    std::string name = "/tmp/modicum-crash-XXXXXX";
    MODICUM_CHECK(mkdtemp(name.data()) != nullptr);
    folder_ = name;
    path_ = folder_ + "/ledger.db";
  }
  ~LedgerCrashTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Ledger> OpenLedger() const {
    auto ledger = Ledger::Open(path_);
    EXPECT_TRUE(ledger) << ledger.error().message;
    return ledger ? *std::move(ledger) : nullptr;
  }
  void ExpectSound() const {
    auto db = SqliteDb::Open(path_, SqliteDb::Mode::kReadWrite);
    ASSERT_TRUE(db);
    auto check = db->Prepare("PRAGMA integrity_check");
    ASSERT_TRUE(check && check->Step());
    EXPECT_EQ(check->Text(0), "ok");
  }
  std::string folder_;
  std::string path_;
};

// The i-th run of a writer, the same in every process.
RunRecord NthRun(uint64_t writer, uint64_t i) {
  return FakeRecords(writer * 1'000'000 + i).RandomRun();
}

std::vector<Measurement> NthBatch(const Uuid& run, uint64_t i) {
  FakeRecords fake(i);
  std::vector<Measurement> rows;
  for (uint64_t row = 0; row < 20; ++row)
    rows.push_back(fake.RandomMeasurement(run, 20 * i + row));
  return rows;
}

// Puts run after run with its batch, and a byte into `pipe` after each pair.
[[noreturn]] void WriteUntilKilled(const std::string& path, uint64_t writer,
                                   int pipe) {
  auto ledger = Ledger::Open(path);
  if (!ledger) _exit(1);
  for (uint64_t i = 0;; ++i) {
    const RunRecord run = NthRun(writer, i);
    if (!(*ledger)->Put(run)) _exit(2);
    if (!(*ledger)->Put(NthBatch(run.id, i))) _exit(3);
    if (write(pipe, "x", 1) != 1) _exit(4);
  }
}

// Reads until `pipe` is closed; how many bytes there were.
uint64_t CountAll(int pipe) {
  uint64_t count = 0;
  char buffer[256];
  while (true) {
    const ssize_t got = read(pipe, buffer, sizeof buffer);
    if (got <= 0) return count;
    count += static_cast<uint64_t>(got);
  }
}

TEST_F(LedgerCrashTest, KilledAtAnyMomentNothingCommittedIsLost) {
  Rng rng(3);
  uint64_t survived = 0;
  for (uint64_t round = 1; round <= 25; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) WriteUntilKilled(path_, round, ends[1]);
    close(ends[1]);
    // Wait for a first pair half of the time: opening is a moment as well.
    char first = 0;
    uint64_t done = 0;
    if (round % 2 == 0) done = read(ends[0], &first, 1) == 1 ? 1 : 0;
    usleep(rng.Below(30'000));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    done += CountAll(ends[0]);
    close(ends[0]);

    const auto ledger = OpenLedger();
    ASSERT_NE(ledger, nullptr);
    for (uint64_t i = 0; i < done; ++i) {
      const RunRecord run = NthRun(round, i);
      const auto found = ledger->FindRun(run.id.text);
      ASSERT_TRUE(found) << "round " << round << ", row " << i;
      EXPECT_TRUE(Same(*found, run));
      EXPECT_TRUE(Same(*ledger->Measurements(run.id), NthBatch(run.id, i)));
    }
    // The pair that was under way: its batch is there whole or not at all.
    const RunRecord last = NthRun(round, done);
    const size_t rows = ledger->Measurements(last.id)->size();
    EXPECT_TRUE(rows == 0 || rows == 20) << rows;
    ExpectSound();
    survived += done;
  }
  EXPECT_GT(survived, 0U);  // how many depends on the load
}

TEST_F(LedgerCrashTest, ProcessesWriteAtOnceFromTheFirstMoment) {
  constexpr uint64_t kWriters = 4;
  constexpr uint64_t kRuns = 15;
  std::vector<pid_t> children;
  for (uint64_t writer = 0; writer < kWriters; ++writer) {
    const pid_t child = fork();
    if (child == 0) {
      auto ledger = Ledger::Open(path_);
      if (!ledger) _exit(1);
      for (uint64_t i = 0; i < kRuns; ++i)
        if (!(*ledger)->Put(NthRun(writer, i))) _exit(2);
      ledger->reset();
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(OpenLedger()->Runs({})->size(), kWriters * kRuns);
  ExpectSound();
}

TEST_F(LedgerCrashTest, AnyFailedWriteIsToldAndLeavesNothingHalfWritten) {
  const RunRecord before = NthRun(1, 0);
  ASSERT_TRUE(OpenLedger()->Put(before));
  const RunRecord run = NthRun(2, 0);
  bool all_succeeded = false;
  int refused = 0;
  for (int nth = 0; !all_succeeded; ++nth) {
    ASSERT_LT(nth, 1000);
    const std::vector<Measurement> batch =
        NthBatch(run.id, static_cast<uint64_t>(nth));
    Status put;
    {
      FaultyDisk disk;
      const auto ledger = OpenLedger();
      disk.FailFrom(nth);
      put = ledger->Put(batch);
      all_succeeded = !disk.failed();
    }
    if (!put) {
      ++refused;
      EXPECT_EQ(put.error().message, "no space left to write ledger " + path_);
      EXPECT_EQ(put.error().code, ErrorCode::kIo);
    }
    const auto ledger = OpenLedger();
    const auto rows = ledger->Measurements(run.id);
    ASSERT_TRUE(rows) << rows.error().message;
    EXPECT_EQ(rows->size() % 20, 0U);
    size_t found = 0;
    for (const Measurement& row : *rows)
      found += row.key.seq >= 20 * static_cast<uint64_t>(nth) ? 1 : 0;
    if (put) {
      EXPECT_EQ(found, 20U);
    }
    EXPECT_TRUE(Same(*ledger->FindRun(before.id.text), before));
    ExpectSound();
  }
  EXPECT_GT(refused, 2);
}

TEST_F(LedgerCrashTest, AFullDiskWhileTheFileIsMadeIsNoLedgerYet) {
  for (int nth = 0;; ++nth) {
    ASSERT_LT(nth, 1000);
    std::filesystem::remove_all(folder_);
    {
      FaultyDisk disk;
      disk.FailFrom(nth);
      const auto ledger = Ledger::Open(path_);
      if (!disk.failed()) break;
      if (!ledger) {
        EXPECT_EQ(ledger.error().message,
                  "no space left to write ledger " + path_);
      }
    }
    EXPECT_TRUE(OpenLedger()->Put(ExampleRun()));
    ExpectSound();
  }
}

// The kernel's own refusal, not a simulated one: no file may pass 1 MB.
TEST_F(LedgerCrashTest, AFileSizeLimitStopsWritingNotReading) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1'000'000, 1'000'000};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(1);
    auto ledger = Ledger::Open(path_);
    if (!ledger) _exit(2);
    uint64_t written = 0;
    while ((*ledger)->Put(NthRun(1, written))) ++written;
    const Status status = (*ledger)->Put(NthRun(1, written));
    if (status || status.error().code != ErrorCode::kIo) _exit(3);
    if ((*ledger)->Runs({})->size() != written) _exit(4);
    _exit(written > 5 ? 0 : 5);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  const auto ledger = OpenLedger();
  EXPECT_GT(ledger->Runs({})->size(), 5U);
  EXPECT_TRUE(ledger->Put(ExampleRun()));
  ExpectSound();
}

}  // namespace
}  // namespace modicum
