// SPDX-License-Identifier: Apache-2.0
// The ledger's contract: keys, filters, merging, and whose files it refuses.
#include "record/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "record/fake_runs.h"
#include "record/faulty_disk.h"
#include "record/same.h"
#include "record/schema.h"
#include "record/sqlite.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;
using RunRecord = Run;  // in a TEST, Run is the test's own

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() {
    std::string name = "/tmp/modicum-ledger-XXXXXX";
    MODICUM_CHECK(mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  ~LedgerTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name = "ledger.db") const {
    return folder_ + "/" + name;
  }
  std::unique_ptr<Ledger> OpenAt(const std::string& path) const {
    auto ledger = Ledger::Open(path);
    EXPECT_TRUE(ledger) << ledger.error().message;
    return ledger ? *std::move(ledger) : nullptr;
  }
  // A database that is not made by Ledger.
  void MakeDatabase(const std::string& path, const std::string& sql) const {
    auto db = SqliteDb::Open(path, SqliteDb::Mode::kReadWrite);
    ASSERT_TRUE(db);
    ASSERT_TRUE(db->Execute(sql));
  }
  std::string folder_;
};

std::vector<std::string> Names(const Result<std::vector<RunRecord>>& runs) {
  std::vector<std::string> names;
  for (const RunRecord& run : *runs) names.push_back(run.name);
  return names;
}

TEST_F(LedgerTest, RandomRowsComeBackEqual) {
  const auto ledger = OpenAt(Path());
  FakeRecords fake(5);
  for (int i = 0; i < 50; ++i) {
    const RunRecord run = fake.RandomRun();
    const std::vector<Measurement> rows = {fake.RandomMeasurement(run.id, 0),
                                           fake.RandomMeasurement(run.id, 1)};
    Trial trial = fake.RandomTrial();
    trial.run = run.id;
    ASSERT_TRUE(ledger->Put(run));
    ASSERT_TRUE(ledger->Put(rows));
    ASSERT_TRUE(ledger->Put(trial));
    EXPECT_TRUE(Same(*ledger->FindRun(run.id.text), run));
    EXPECT_TRUE(Same(*ledger->Measurements(run.id), rows));
    EXPECT_TRUE(Same(*ledger->Trials(run.id), {trial}));
    EXPECT_TRUE(Same(**ledger->FindTrial(trial.key), trial));
  }
}

TEST_F(LedgerTest, RowsOutliveTheProcessThatWroteThem) {
  const RunRecord run = ExampleRun();
  ASSERT_TRUE(OpenAt(Path())->Put(run));
  EXPECT_TRUE(Same(*OpenAt(Path())->FindRun(run.id.text), run));
  EXPECT_FALSE(std::filesystem::exists(Path() + "-wal"));
}

TEST_F(LedgerTest, AFastCloseLeavesTheLogAndATidyOneFoldsItIn) {
  ASSERT_NE(OpenAt(Path()), nullptr);
  {
    auto ledger = Ledger::Open(Path(), LedgerClose::kFast);
    ASSERT_TRUE(ledger && (*ledger)->Put(ExampleRun()));
  }
  EXPECT_TRUE(std::filesystem::exists(Path() + "-wal"));
  EXPECT_EQ(OpenAt(Path())->Runs({})->size(), 1U);
  EXPECT_FALSE(std::filesystem::exists(Path() + "-wal"));
  EXPECT_EQ(OpenAt(Path())->Runs({})->size(), 1U);
}

// What a metered command waits for. The log is folded in now and then, so that
// it does not grow without end.
TEST_F(LedgerTest, AFastRunCostsOneSyncAndTheLogStaysShort) {
  FaultyDisk disk;
  FakeRecords fake(23);
  ASSERT_NE(OpenAt(Path()), nullptr);
  int single = 0;
  constexpr int kRuns = 200;
  for (int i = 0; i < kRuns; ++i) {
    const RunRecord run = fake.RandomRun();
    const std::vector<Measurement> rows = {fake.RandomMeasurement(run.id, 0)};
    const int before = disk.syncs();
    {
      auto ledger = Ledger::Open(Path(), LedgerClose::kFast);
      ASSERT_TRUE(ledger && (*ledger)->Put(run, rows));
    }
    single += disk.syncs() - before == 1;
    if (!std::filesystem::exists(Path() + "-wal")) continue;
    ASSERT_LT(std::filesystem::file_size(Path() + "-wal"), 1024 * 1024);
  }
  EXPECT_GT(single, kRuns * 3 / 4);
  EXPECT_EQ(OpenAt(Path())->Runs({})->size(), size_t{kRuns});
}

TEST_F(LedgerTest, ARunAndItsEvidenceAreWrittenTogetherOrNotAtAll) {
  const auto ledger = OpenAt(Path());
  FakeRecords fake(15);
  const RunRecord run = fake.RandomRun();
  std::vector<Measurement> rows = {fake.RandomMeasurement(run.id, 0),
                                   fake.RandomMeasurement(run.id, 0)};
  EXPECT_FALSE(ledger->Put(run, rows));
  EXPECT_EQ(ledger->FindRun(run.id.text).error().code, ErrorCode::kNotFound);
  rows[1].key.seq = 1;
  ASSERT_TRUE(ledger->Put(run, rows));
  EXPECT_TRUE(Same(*ledger->FindRun(run.id.text), run));
  EXPECT_TRUE(Same(*ledger->Measurements(run.id), rows));
}

TEST_F(LedgerTest, ItsFolderIsMade) {
  EXPECT_NE(OpenAt(Path("a/b/c/ledger.db")), nullptr);
  std::ofstream(Path("file")) << "x";
  const auto ledger = Ledger::Open(Path("file/ledger.db"));
  ASSERT_FALSE(ledger);
  EXPECT_EQ(ledger.error().message, "cannot create the ledger's folder " +
                                        Path("file") + ": Not a directory");
  EXPECT_EQ(ledger.error().hint, "name a ledger elsewhere with --ledger");
}

TEST_F(LedgerTest, PuttingTwiceIsPuttingOnce) {
  const auto ledger = OpenAt(Path());
  FakeRecords fake(6);
  const RunRecord run = fake.RandomRun();
  const std::vector<Measurement> rows = {fake.RandomMeasurement(run.id, 0)};
  Trial trial = fake.RandomTrial();
  trial.run = run.id;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(ledger->Put(run));
    ASSERT_TRUE(ledger->Put(rows));
    ASSERT_TRUE(ledger->Put(trial));
  }
  EXPECT_EQ(ledger->Runs({})->size(), 1U);
  EXPECT_EQ(ledger->Measurements(run.id)->size(), 1U);
  EXPECT_EQ(ledger->Trials(run.id)->size(), 1U);
}

TEST_F(LedgerTest, ARunEndsOnceAndStaysEnded) {
  const auto ledger = OpenAt(Path());
  RunRecord ended = ExampleRun();
  RunRecord running = ended;
  running.status = RunStatus::kRunning;
  running.bill.reset();
  running.tags = {{"team", "other"}};
  ASSERT_TRUE(ledger->Put(running));
  EXPECT_TRUE(Same(*ledger->FindRun(ended.id.text), running));
  ASSERT_TRUE(ledger->Put(ended));
  ASSERT_TRUE(ledger->Put(running));
  EXPECT_TRUE(Same(*ledger->FindRun(ended.id.text), ended));
}

TEST_F(LedgerTest, EvidenceIsNeverReplaced) {
  const auto ledger = OpenAt(Path());
  FakeRecords fake(7);
  const Uuid run = ExampleRun().id;
  const std::vector<Measurement> first = {fake.RandomMeasurement(run, 3)};
  const std::vector<Measurement> other = {fake.RandomMeasurement(run, 2),
                                          fake.RandomMeasurement(run, 3)};
  ASSERT_TRUE(ledger->Put(first));
  const Status status = ledger->Put(other);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "ledger " + Path() +
                                        ": measurement 3 of run " + run.text +
                                        " is there already, with other values");
  EXPECT_TRUE(Same(*ledger->Measurements(run), first));
}

TEST_F(LedgerTest, TheNewestOutcomeOfATrialCounts) {
  const auto ledger = OpenAt(Path());
  FakeRecords fake(8);
  Trial first = fake.RandomTrial();
  first.outcome = "failed";
  Trial second = fake.RandomTrial();
  second.key = first.key;
  EXPECT_FALSE(ledger->FindTrial(first.key)->has_value());
  ASSERT_TRUE(ledger->Put(first));
  ASSERT_TRUE(ledger->Put(second));
  EXPECT_TRUE(Same(**ledger->FindTrial(first.key), second));
  ASSERT_TRUE(ledger->Put(first));  // says nothing new
  EXPECT_TRUE(Same(**ledger->FindTrial(first.key), second));
  first.outcome = "ok";
  ASSERT_TRUE(ledger->Put(first));
  EXPECT_TRUE(Same(**ledger->FindTrial(first.key), first));
  EXPECT_EQ(ledger->Trials(first.run)->size(), 1U);
}

TEST_F(LedgerTest, FiltersRestrictAndTheNewestComesFirst) {
  const auto ledger = OpenAt(Path());
  FakeRecords fake(9);
  for (int i = 0; i < 4; ++i) {
    RunRecord run = fake.RandomRun();
    run.name = std::to_string(i);
    run.kind = i % 2 == 0 ? "run" : "fit";
    run.project = i < 2 ? "p" : "";
    run.tags = {{"team", i == 1 ? "x" : "y"}, {"all", "1"}};
    run.started = {1000 * i};
    ASSERT_TRUE(ledger->Put(run));
  }
  EXPECT_THAT(Names(ledger->Runs({})), ElementsAre("3", "2", "1", "0"));
  RunFilter filter;
  filter.limit = 2;
  EXPECT_THAT(Names(ledger->Runs(filter)), ElementsAre("3", "2"));
  filter = {};
  filter.kind = "run";
  EXPECT_THAT(Names(ledger->Runs(filter)), ElementsAre("2", "0"));
  filter = {};
  filter.since = WallTime{2000};
  EXPECT_THAT(Names(ledger->Runs(filter)), ElementsAre("3", "2"));
  filter = {};
  filter.project = "p";
  filter.tags = {{"team", "x"}, {"all", "1"}};
  EXPECT_THAT(Names(ledger->Runs(filter)), ElementsAre("1"));
  filter.tags["all"] = "2";
  EXPECT_THAT(Names(ledger->Runs(filter)), ElementsAre());
}

TEST_F(LedgerTest, RunsAreFoundByAUniquePrefix) {
  const auto ledger = OpenAt(Path());
  RunRecord run = ExampleRun();
  ASSERT_TRUE(ledger->Put(run));
  EXPECT_EQ(ledger->FindRun("0b3c")->id, run.id);
  run.id.text = "0b3c1f2b-5d6e-4f70-8a91-b2c3d4e5f607";
  ASSERT_TRUE(ledger->Put(run));
  EXPECT_EQ(ledger->FindRun("0b3c1f2b")->id, run.id);
  EXPECT_EQ(ledger->FindRun("0b3c").error().message,
            "run id '0b3c' is ambiguous: 0b3c1f2a-5d6e-4f70-8a91-b2c3d4e5f607, "
            "0b3c1f2b-5d6e-4f70-8a91-b2c3d4e5f607");
  EXPECT_EQ(ledger->FindRun("0b3").error().message,
            "run id '0b3' is too short");
  EXPECT_EQ(ledger->FindRun("ffff").error().message,
            "no run 'ffff' in ledger " + Path());
  EXPECT_EQ(ledger->FindRun("0b3%").error().code, ErrorCode::kNotFound);
}

TEST_F(LedgerTest, MergingIsByKeyAndTwiceIsOnce) {
  FakeRecords fake(10);
  const auto mine = OpenAt(Path("mine.db"));
  RunRecord shared = ExampleRun();
  RunRecord unfinished = shared;
  unfinished.status = RunStatus::kRunning;
  unfinished.bill.reset();
  ASSERT_TRUE(mine->Put(unfinished));
  const RunRecord theirs = fake.RandomRun();
  const std::vector<Measurement> rows = {fake.RandomMeasurement(theirs.id, 0),
                                         fake.RandomMeasurement(theirs.id, 1)};
  Trial trial = fake.RandomTrial();
  trial.run = theirs.id;
  {
    const auto other = OpenAt(Path("other.db"));
    ASSERT_TRUE(other->Put(shared));
    ASSERT_TRUE(other->Put(theirs));
    ASSERT_TRUE(other->Put(rows));
    ASSERT_TRUE(other->Put(trial));
    // While the other ledger is open, too.
    const auto count = mine->MergeFrom(Path("other.db"));
    ASSERT_TRUE(count) << count.error().message;
    EXPECT_EQ(count->runs, 2);
    EXPECT_EQ(count->measurements, 2);
    EXPECT_EQ(count->trials, 1);
  }
  EXPECT_TRUE(Same(*mine->FindRun(shared.id.text), shared));
  EXPECT_TRUE(Same(*mine->FindRun(theirs.id.text), theirs));
  EXPECT_TRUE(Same(*mine->Measurements(theirs.id), rows));
  EXPECT_TRUE(Same(**mine->FindTrial(trial.key), trial));
  for (const char* name : {"other.db", "mine.db"}) {
    const auto again = mine->MergeFrom(Path(name));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->runs + again->measurements + again->trials, 0) << name;
  }
  EXPECT_EQ(mine->MergeFrom(Path("none.db")).error().message,
            "there is no ledger " + Path("none.db"));
  EXPECT_FALSE(std::filesystem::exists(Path("none.db")));
}

TEST_F(LedgerTest, ForeignFilesAreRefusedAndLeftAlone) {
  MakeDatabase(Path("other.db"), "CREATE TABLE t (x)");
  const auto database = Ledger::Open(Path("other.db"));
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().message,
            Path("other.db") + " is a database, but not a Modicum ledger");
  std::ofstream(Path("text")) << std::string(5000, 'x');
  const auto text = Ledger::Open(Path("text"));
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message, Path("text") + " is not a Modicum ledger");
  EXPECT_EQ(text.error().hint, "name another file with --ledger");
  EXPECT_EQ(std::filesystem::file_size(Path("text")), 5000U);
}

TEST_F(LedgerTest, ANewerSchemaIsRefused) {
  OpenAt(Path());
  MakeDatabase(Path(), "PRAGMA user_version = 7");
  const auto ledger = Ledger::Open(Path());
  ASSERT_FALSE(ledger);
  EXPECT_EQ(
      ledger.error().message,
      "ledger " + Path() + " has schema version 7, this program knows up to 1");
  EXPECT_EQ(ledger.error().hint, "use the newer Modicum that wrote it");
}

TEST_F(LedgerTest, DamageIsReported) {
  {
    const auto ledger = OpenAt(Path());
    FakeRecords fake(11);
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(ledger->Put(fake.RandomRun()));
  }
  const auto size = std::filesystem::file_size(Path());
  std::fstream file(Path(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);
  file << std::string(size - 4096, 'x');
  file.close();
  const auto ledger = Ledger::Open(Path());
  const Error error = ledger ? (*ledger)->Runs({}).error() : ledger.error();
  EXPECT_EQ(error.message, "ledger " + Path() + " is damaged");
}

TEST_F(LedgerTest, AStoredBillThatIsNotOneIsReported) {
  { ASSERT_TRUE(OpenAt(Path())->Put(ExampleRun())); }
  MakeDatabase(Path(), "UPDATE run SET bill = '{}'");
  EXPECT_EQ(OpenAt(Path())->Runs({}).error().message,
            "ledger " + Path() + ": bill of run " + ExampleRun().id.text +
                ": record: wall_s is missing");
}

// Root may write anything: so this looks as nobody (65534).
TEST_F(LedgerTest, AReadOnlyLedgerIsReadAndNotWritten) {
  { ASSERT_TRUE(OpenAt(Path())->Put(ExampleRun())); }
  ASSERT_EQ(chmod(Path().c_str(), 0444), 0);
  ASSERT_EQ(chmod(folder_.c_str(), 0555), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && seteuid(65534) != 0) _exit(9);
    const auto ledger = Ledger::Open(Path());
    if (!ledger) _exit(2);
    if (!(*ledger)->FindRun(ExampleRun().id.text)) _exit(3);
    if ((*ledger)->CheckWritable()) _exit(6);
    const Status status = (*ledger)->Put(ExampleRun());
    if (status || status.error().code != ErrorCode::kPermission ||
        status.error().message != "ledger " + Path() + " is read-only")
      _exit(4);
    const auto other = Ledger::Open(Path("new.db"));
    _exit(other || other.error().message !=
                       "cannot open ledger " + Path("new.db")
              ? 5
              : 0);
  }
  int result = 0;
  waitpid(child, &result, 0);
  EXPECT_EQ(result, 0);
  ASSERT_EQ(chmod(folder_.c_str(), 0755), 0);
}

TEST_F(LedgerTest, ThreadsShareOneLedger) {
  const auto ledger = OpenAt(Path());
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&ledger, t] {
      FakeRecords fake(100 + t);
      for (int i = 0; i < 20; ++i) {
        EXPECT_TRUE(ledger->Put(fake.RandomRun()));
        EXPECT_TRUE(ledger->Runs({}));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ledger->Runs({})->size(), 80U);
}

}  // namespace
}  // namespace modicum
