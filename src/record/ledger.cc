// SPDX-License-Identifier: Apache-2.0
// Rows to values and back. Every write is one transaction under the mutex.
#include "record/ledger.h"

#include <algorithm>
#include <filesystem>
#include <mutex>

#include "record/json.h"
#include "record/schema.h"
#include "record/sqlite.h"
#include "record/start_run.h"

namespace modicum {
namespace {

#define RUN_COLUMNS                                                        \
  "id, kind, name, project, started_us, ended_us, status, exit_code, "     \
  "version, hostname, wall_s, cpu_s, energy_j, carbon_g, water_l, money, " \
  "currency, host, bill"
#define MEASUREMENT_COLUMNS                                             \
  "run, boot, device, seq, name, phase, domain, probe, at_us, wall_s, " \
  "cpu_s, energy_j, energy, contended"
#define TRIAL_COLUMNS                                                  \
  "task, candidate, repeat, run, name, outcome, cause, cost_j, cost, " \
  "wall_s, detail, recorded_us"

// An ended run is not reopened.
constexpr std::string_view kPutRun =
    "INSERT INTO run (" RUN_COLUMNS
    ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
    "ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, "
    "name = excluded.name, project = excluded.project, "
    "started_us = excluded.started_us, ended_us = excluded.ended_us, "
    "status = excluded.status, exit_code = excluded.exit_code, "
    "version = excluded.version, hostname = excluded.hostname, "
    "wall_s = excluded.wall_s, cpu_s = excluded.cpu_s, "
    "energy_j = excluded.energy_j, carbon_g = excluded.carbon_g, "
    "water_l = excluded.water_l, money = excluded.money, "
    "currency = excluded.currency, host = excluded.host, "
    "bill = excluded.bill "
    "WHERE (run.status = 'running' OR excluded.status <> 'running')";
constexpr std::string_view kOnlyNewerRun =
    " AND ((run.status = 'running' AND excluded.status <> 'running') "
    "OR run.ended_us < excluded.ended_us)";
constexpr std::string_view kPutTag =
    "INSERT INTO run_tag (run, key, value) VALUES (?,?,?) "
    "ON CONFLICT (run, key) DO NOTHING";
constexpr std::string_view kPutMeasurement =
    "INSERT INTO measurement (" MEASUREMENT_COLUMNS
    ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
    "ON CONFLICT (run, boot, device, seq) DO NOTHING";
constexpr std::string_view kSameMeasurement =
    "SELECT COUNT(*) FROM measurement WHERE run = ? AND boot = ? AND "
    "device = ? AND seq = ? AND name = ? AND phase = ? AND domain = ? AND "
    "probe = ? AND at_us = ? AND wall_s IS NOT DISTINCT FROM ? AND "
    "cpu_s IS NOT DISTINCT FROM ? AND energy_j IS NOT DISTINCT FROM ? AND "
    "energy = ? AND contended = ?";
// The same outcome again leaves the row, with its time, as it was.
constexpr std::string_view kPutTrial =
    "INSERT INTO trial (" TRIAL_COLUMNS
    ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?) "
    "ON CONFLICT (task, candidate, repeat, run) DO UPDATE SET "
    "name = excluded.name, outcome = excluded.outcome, "
    "cause = excluded.cause, cost_j = excluded.cost_j, "
    "cost = excluded.cost, wall_s = excluded.wall_s, "
    "detail = excluded.detail, recorded_us = excluded.recorded_us "
    "WHERE trial.recorded_us < excluded.recorded_us AND "
    "(trial.name, trial.outcome, trial.cause, trial.cost, trial.wall_s, "
    "trial.detail) <> (excluded.name, excluded.outcome, excluded.cause, "
    "excluded.cost, excluded.wall_s, excluded.detail)";

void BindBillColumns(SqliteStatement& row, const std::optional<Bill>& bill) {
  if (!bill) {
    for (int i = 0; i < 7; ++i) row.BindNull();
    return;
  }
  row.Bind(bill->wall.value())
      .Bind(bill->cpu.value())
      .Bind(bill->energy.mid.value())
      .Bind(bill->operational.mid.value())
      .Bind(bill->water.mid.value());
  if (bill->money)
    row.Bind(bill->money->amount.mid.value())
        .Bind(bill->money->currency.view());
  else
    row.BindNull().BindNull();
}

void BindRun(SqliteStatement& row, const Run& run) {
  row.Bind(run.id.text)
      .Bind(run.kind)
      .Bind(run.name)
      .Bind(run.project)
      .Bind(run.started.micros)
      .Bind(run.ended.micros)
      .Bind(RunStatusName(run.status))
      .Bind(int64_t{run.exit_code})
      .Bind(run.version)
      .Bind(run.host.hostname);
  BindBillColumns(row, run.bill);
  row.Bind(ToJsonText(run.host));
  if (run.bill)
    row.Bind(ToJsonText(*run.bill));
  else
    row.BindNull();
}

void BindMeasurement(SqliteStatement& row, const Measurement& m) {
  row.Bind(m.key.run.text)
      .Bind(m.key.boot)
      .Bind(m.key.device)
      .Bind(static_cast<int64_t>(m.key.seq))
      .Bind(m.name)
      .Bind(PhaseName(m.phase))
      .Bind(m.domain)
      .Bind(m.probe)
      .Bind(m.at.micros)
      .Bind(m.wall.value())
      .Bind(m.cpu.value())
      .Bind(m.energy.mid.value())
      .Bind(ToJsonText(m.energy))
      .Bind(int64_t{m.contended});
}

void BindTrialKey(SqliteStatement& row, const TrialKey& key) {
  row.Bind(ToHex(key.task))
      .Bind(ToHex(key.candidate))
      .Bind(int64_t{key.repeat});
}

RunStatus ParseRunStatus(std::string_view name) {
  using enum RunStatus;
  for (const RunStatus status : {kRunning, kOk, kFailed})
    if (name == RunStatusName(status)) return status;
  return kInterrupted;
}

Phase ParsePhase(std::string_view name) {
  const auto* it =
      std::find_if(std::begin(kAllPhases), std::end(kAllPhases),
                   [name](Phase phase) { return PhaseName(phase) == name; });
  return it == std::end(kAllPhases) ? Phase::kIdle : *it;
}

Hash ParseHash(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Hash hash{};
  for (size_t i = 0; i < hash.size() && 2 * i + 1 < hex.size(); ++i)
    hash[i] =
        static_cast<uint8_t>(digit(hex[2 * i]) * 16 + digit(hex[2 * i + 1]));
  return hash;
}

// Adds what was being read to a fault in a stored JSON text.
Error InLedger(const SqliteDb& db, const std::string& what,
               const Error& error) {
  return {ErrorCode::kIo,
          "ledger " + db.path() + ": " + what + ": " + error.message,
          "the row was changed by another program; restore a copy"};
}

template <class T>
Result<T> ReadJson(const SqliteDb& db, const SqliteStatement& row, int column,
                   const std::string& what) {
  auto value = FromJsonText<T>(row.Text(column));
  if (!value) return Fail(InLedger(db, what, std::move(value).error()));
  return value;
}

Result<Run> ReadRun(const SqliteDb& db, const SqliteStatement& row) {
  Run run;
  run.id.text = row.Text(0);
  run.kind = row.Text(1);
  run.name = row.Text(2);
  run.project = row.Text(3);
  run.started.micros = row.Int(4);
  run.ended.micros = row.Int(5);
  run.status = ParseRunStatus(row.Text(6));
  run.exit_code = static_cast<int>(row.Int(7));
  run.version = row.Text(8);
  MODICUM_TRY(run.host,
              ReadJson<HostFacts>(db, row, 17, "host of run " + run.id.text));
  if (row.IsNull(18)) return run;
  MODICUM_TRY(run.bill,
              ReadJson<Bill>(db, row, 18, "bill of run " + run.id.text));
  return run;
}

Result<Measurement> ReadMeasurement(const SqliteDb& db,
                                    const SqliteStatement& row) {
  Measurement m;
  m.key = {Uuid{row.Text(0)}, row.Text(1), row.Text(2),
           static_cast<uint64_t>(row.Int(3))};
  m.name = row.Text(4);
  m.phase = ParsePhase(row.Text(5));
  m.domain = row.Text(6);
  m.probe = row.Text(7);
  m.at.micros = row.Int(8);
  m.wall = Seconds(row.Real(9));
  m.cpu = Seconds(row.Real(10));
  MODICUM_TRY(m.energy,
              ReadJson<Estimate<Joules>>(
                  db, row, 12,
                  "measurement " + row.Text(3) + " of run " + row.Text(0)));
  m.contended = row.Int(13) != 0;
  return m;
}

Result<Trial> ReadTrial(const SqliteDb& db, const SqliteStatement& row) {
  Trial trial;
  trial.key = {ParseHash(row.Text(0)), ParseHash(row.Text(1)),
               static_cast<uint32_t>(row.Int(2))};
  trial.run.text = row.Text(3);
  trial.name = row.Text(4);
  trial.outcome = row.Text(5);
  trial.cause = row.Text(6);
  MODICUM_TRY(trial.cost,
              ReadJson<Estimate<Joules>>(db, row, 8, "trial " + trial.name));
  trial.wall = Seconds(row.Real(9));
  trial.detail = row.Text(10);
  return trial;
}

template <class T>
using ReadRow = Result<T> (*)(const SqliteDb&, const SqliteStatement&);

template <class T>
Result<std::vector<T>> ReadAll(const SqliteDb& db, SqliteStatement& rows,
                               ReadRow<T> read) {
  std::vector<T> values;
  while (true) {
    MODICUM_TRY(const bool more, rows.Step());
    if (!more) return values;
    MODICUM_TRY(T value, read(db, rows));
    values.push_back(std::move(value));
  }
}

// Every row of `select` into `insert`; how many were taken.
Result<int64_t> CopyRows(const SqliteDb& from, std::string_view select,
                         const SqliteDb& to, const std::string& insert) {
  MODICUM_TRY(SqliteStatement source, from.Prepare(select));
  MODICUM_TRY(SqliteStatement target, to.Prepare(insert));
  for (int64_t taken = 0;; taken += to.changes()) {
    MODICUM_TRY(const bool more, source.Step());
    if (!more) return taken;
    MODICUM_RETURN_IF_ERROR(target.BindRow(source).Run());
  }
}

std::string SelectRuns(const RunFilter& filter) {
  std::string sql = "SELECT " RUN_COLUMNS " FROM run WHERE 1 = 1";
  if (!filter.kind.empty()) sql += " AND kind = ?";
  if (!filter.project.empty()) sql += " AND project = ?";
  if (filter.since) sql += " AND started_us >= ?";
  for (size_t i = 0; i < filter.tags.size(); ++i)
    sql += " AND id IN (SELECT run FROM run_tag WHERE key = ? AND value = ?)";
  sql += " ORDER BY started_us DESC, id";
  if (filter.limit > 0) sql += " LIMIT " + std::to_string(filter.limit);
  return sql;
}

// Whoever opens the file next reads the log whole.
bool HasShortLog(const std::string& path) {
  constexpr uintmax_t kShort = 512 * 1024;
  std::error_code none;
  const uintmax_t size = std::filesystem::file_size(path + "-wal", none);
  return none || size < kShort;
}

class SqliteLedger final : public Ledger {
 public:
  explicit SqliteLedger(SqliteDb db) : db_(std::move(db)) {}

  Status CheckWritable() const override {
    const std::lock_guard lock(mutex_);
    return db_.CheckWritable();
  }
  using Ledger::Put;
  Status Put(const Run& run, std::span<const Measurement> rows) override;
  Status Put(std::span<const Measurement> rows) override;
  Status Put(const Trial& trial) override;
  Result<MergeCount> MergeFrom(const std::string& path) override;
  Result<std::vector<Run>> Runs(const RunFilter& filter) const override;
  Result<Run> FindRun(std::string_view id_prefix) const override;
  Result<std::vector<Measurement>> Measurements(const Uuid& run) const override;
  Result<std::optional<Trial>> FindTrial(const TrialKey& key) const override;
  Result<std::vector<Trial>> Trials(const Uuid& run) const override;
  const std::string& path() const override { return db_.path(); }

 private:
  Status PutRow(const Run& run);
  Status PutTags(const Run& run);
  Status PutRows(std::span<const Measurement> rows);
  Status CheckSame(const Measurement& m) const;
  Result<int64_t> NextTrialTime(const TrialKey& key) const;
  Result<std::vector<Run>> ReadRuns(SqliteStatement& rows) const;

  mutable std::mutex mutex_;
  SqliteDb db_;  // guarded by mutex_
};

Status SqliteLedger::Put(const Run& run, std::span<const Measurement> rows) {
  const std::lock_guard lock(mutex_);
  MODICUM_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(db_));
  MODICUM_RETURN_IF_ERROR(PutRow(run));
  MODICUM_RETURN_IF_ERROR(PutRows(rows));
  return transaction.Commit();
}

Status SqliteLedger::Put(std::span<const Measurement> rows) {
  const std::lock_guard lock(mutex_);
  MODICUM_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(db_));
  MODICUM_RETURN_IF_ERROR(PutRows(rows));
  return transaction.Commit();
}

Status SqliteLedger::PutRow(const Run& run) {
  MODICUM_TRY(SqliteStatement row, db_.Prepare(kPutRun));
  BindRun(row, run);
  MODICUM_RETURN_IF_ERROR(row.Run());
  return db_.changes() > 0 ? PutTags(run) : Status();
}

Status SqliteLedger::PutTags(const Run& run) {
  MODICUM_TRY(SqliteStatement old,
              db_.Prepare("DELETE FROM run_tag WHERE run = ?"));
  MODICUM_RETURN_IF_ERROR(old.Bind(run.id.text).Run());
  MODICUM_TRY(SqliteStatement row, db_.Prepare(kPutTag));
  for (const auto& [key, value] : run.tags)
    MODICUM_RETURN_IF_ERROR(row.Bind(run.id.text).Bind(key).Bind(value).Run());
  if (run.status != RunStatus::kRunning) return {};
  return row.Bind(run.id.text).Bind(kProcessTag).Bind(ThisProcess()).Run();
}

Status SqliteLedger::PutRows(std::span<const Measurement> rows) {
  MODICUM_TRY(SqliteStatement row, db_.Prepare(kPutMeasurement));
  for (const Measurement& m : rows) {
    BindMeasurement(row, m);
    MODICUM_RETURN_IF_ERROR(row.Run());
    if (db_.changes() == 0) MODICUM_RETURN_IF_ERROR(CheckSame(m));
  }
  return {};
}

// A key that is taken must hold this very measurement: evidence is never
// replaced, and never dropped in silence.
Status SqliteLedger::CheckSame(const Measurement& m) const {
  MODICUM_TRY(SqliteStatement same, db_.Prepare(kSameMeasurement));
  BindMeasurement(same, m);
  MODICUM_RETURN_IF_ERROR(same.Step());
  if (same.Int(0) == 1) return {};
  return Fail(ErrorCode::kInternal,
              "ledger " + path() + ": measurement " +
                  std::to_string(m.key.seq) + " of run " + m.key.run.text +
                  " is there already, with other values",
              "number the measurements of a run without repeats");
}

Status SqliteLedger::Put(const Trial& trial) {
  const std::lock_guard lock(mutex_);
  MODICUM_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(db_));
  MODICUM_TRY(const int64_t now, NextTrialTime(trial.key));
  MODICUM_TRY(SqliteStatement row, db_.Prepare(kPutTrial));
  BindTrialKey(row, trial.key);
  row.Bind(trial.run.text)
      .Bind(trial.name)
      .Bind(trial.outcome)
      .Bind(trial.cause)
      .Bind(trial.cost.mid.value())
      .Bind(ToJsonText(trial.cost))
      .Bind(trial.wall.value())
      .Bind(trial.detail)
      .Bind(now);
  MODICUM_RETURN_IF_ERROR(row.Run());
  return transaction.Commit();
}

// Now, but after every earlier outcome of the key even if the clock went
// back: the newest outcome is the one that resuming uses.
Result<int64_t> SqliteLedger::NextTrialTime(const TrialKey& key) const {
  MODICUM_TRY(SqliteStatement last,
              db_.Prepare("SELECT COALESCE(MAX(recorded_us), 0) FROM trial "
                          "WHERE task = ? AND candidate = ? AND repeat = ?"));
  BindTrialKey(last, key);
  MODICUM_RETURN_IF_ERROR(last.Step());
  return std::max(SystemClock().WallNow().micros, last.Int(0) + 1);
}

Result<MergeCount> SqliteLedger::MergeFrom(const std::string& other_path) {
  MODICUM_TRY(const SqliteDb other,
              OpenLedgerFile(other_path, LedgerAccess::kRead));
  const std::lock_guard lock(mutex_);
  MODICUM_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(db_));
  MergeCount count;
  MODICUM_TRY(count.runs,
              CopyRows(other, "SELECT " RUN_COLUMNS " FROM run", db_,
                       std::string(kPutRun) + std::string(kOnlyNewerRun)));
  MODICUM_RETURN_IF_ERROR(CopyRows(other, "SELECT run, key, value FROM run_tag",
                                   db_, std::string(kPutTag)));
  MODICUM_TRY(count.measurements,
              CopyRows(other, "SELECT " MEASUREMENT_COLUMNS " FROM measurement",
                       db_, std::string(kPutMeasurement)));
  MODICUM_TRY(count.trials,
              CopyRows(other, "SELECT " TRIAL_COLUMNS " FROM trial", db_,
                       std::string(kPutTrial)));
  MODICUM_RETURN_IF_ERROR(transaction.Commit());
  return count;
}

Result<std::vector<Run>> SqliteLedger::ReadRuns(SqliteStatement& rows) const {
  MODICUM_TRY(std::vector<Run> runs, ReadAll<Run>(db_, rows, &ReadRun));
  MODICUM_TRY(SqliteStatement tags,
              db_.Prepare("SELECT key, value FROM run_tag WHERE run = ?"));
  for (Run& run : runs) {
    tags.Bind(run.id.text);
    while (true) {
      MODICUM_TRY(const bool more, tags.Step());
      if (!more) break;
      run.tags[tags.Text(0)] = tags.Text(1);
    }
    tags.Reset();
    EndIfLost(run);
  }
  return runs;
}

Result<std::vector<Run>> SqliteLedger::Runs(const RunFilter& filter) const {
  const std::lock_guard lock(mutex_);
  MODICUM_TRY(SqliteStatement rows, db_.Prepare(SelectRuns(filter)));
  if (!filter.kind.empty()) rows.Bind(filter.kind);
  if (!filter.project.empty()) rows.Bind(filter.project);
  if (filter.since) rows.Bind(filter.since->micros);
  for (const auto& [key, value] : filter.tags) rows.Bind(key).Bind(value);
  return ReadRuns(rows);
}

Result<Run> SqliteLedger::FindRun(std::string_view id_prefix) const {
  const std::string prefix(id_prefix);
  constexpr char kHint[] = "`modicum ledger list` shows the runs";
  if (prefix.size() < 4)
    return Fail(ErrorCode::kInvalidInput,
                "run id '" + prefix + "' is too short",
                "give at least 4 characters of it");
  const std::lock_guard lock(mutex_);
  MODICUM_TRY(
      SqliteStatement rows,
      db_.Prepare("SELECT " RUN_COLUMNS " FROM run WHERE substr(id, 1, ?) = ? "
                  "ORDER BY id LIMIT 2"));
  rows.Bind(static_cast<int64_t>(prefix.size())).Bind(prefix);
  MODICUM_TRY(std::vector<Run> runs, ReadRuns(rows));
  if (runs.size() == 1) return std::move(runs.front());
  if (runs.empty())
    return Fail(ErrorCode::kNotFound,
                "no run '" + prefix + "' in ledger " + path(), kHint);
  return Fail(ErrorCode::kInvalidInput,
              "run id '" + prefix + "' is ambiguous: " + runs[0].id.text +
                  ", " + runs[1].id.text,
              "give more characters of it");
}

Result<std::vector<Measurement>> SqliteLedger::Measurements(
    const Uuid& run) const {
  const std::lock_guard lock(mutex_);
  MODICUM_TRY(SqliteStatement rows,
              db_.Prepare("SELECT " MEASUREMENT_COLUMNS
                          " FROM measurement WHERE run = ? "
                          "ORDER BY boot, device, seq"));
  rows.Bind(run.text);
  return ReadAll<Measurement>(db_, rows, &ReadMeasurement);
}

Result<std::optional<Trial>> SqliteLedger::FindTrial(
    const TrialKey& key) const {
  const std::lock_guard lock(mutex_);
  MODICUM_TRY(SqliteStatement rows,
              db_.Prepare("SELECT " TRIAL_COLUMNS
                          " FROM trial WHERE task = ? AND candidate = ? "
                          "AND repeat = ? ORDER BY recorded_us DESC LIMIT 1"));
  BindTrialKey(rows, key);
  MODICUM_TRY(std::vector<Trial> trials, ReadAll<Trial>(db_, rows, &ReadTrial));
  if (trials.empty()) return std::optional<Trial>{};
  return std::optional<Trial>(std::move(trials.front()));
}

Result<std::vector<Trial>> SqliteLedger::Trials(const Uuid& run) const {
  const std::lock_guard lock(mutex_);
  MODICUM_TRY(SqliteStatement rows,
              db_.Prepare("SELECT " TRIAL_COLUMNS " FROM trial WHERE run = ? "
                          "ORDER BY recorded_us, task, candidate, repeat"));
  rows.Bind(run.text);
  return ReadAll<Trial>(db_, rows, &ReadTrial);
}

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::Open(const std::string& path,
                                             LedgerClose close) {
  MODICUM_TRY(SqliteDb db, OpenLedgerFile(path, LedgerAccess::kWrite));
  if (close == LedgerClose::kFast && HasShortLog(path)) db.KeepLogOnClose();
  return std::unique_ptr<Ledger>(new SqliteLedger(std::move(db)));
}

}  // namespace modicum
