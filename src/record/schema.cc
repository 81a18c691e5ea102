// SPDX-License-Identifier: Apache-2.0
#include "record/schema.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iterator>
#include <thread>

namespace modicum {
namespace {

constexpr std::chrono::milliseconds kBusyTimeout(10'000);

// kMigrations[v] leads from schema version v to v + 1. Released entries never
// change. Composite values are JSON (record/json.h); what people query also
// has a column of its own.
constexpr const char* kMigrations[] = {R"sql(
CREATE TABLE run (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  project TEXT NOT NULL,
  started_us BIGINT NOT NULL,
  ended_us BIGINT NOT NULL,
  status TEXT NOT NULL,
  exit_code INTEGER NOT NULL,
  version TEXT NOT NULL,
  hostname TEXT NOT NULL,
  wall_s DOUBLE PRECISION,
  cpu_s DOUBLE PRECISION,
  energy_j DOUBLE PRECISION,
  carbon_g DOUBLE PRECISION,
  water_l DOUBLE PRECISION,
  money DOUBLE PRECISION,
  currency TEXT,
  host TEXT NOT NULL,
  bill TEXT
);
CREATE INDEX run_started ON run (started_us);
CREATE TABLE run_tag (
  run TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, key)
);
CREATE INDEX run_tag_value ON run_tag (key, value);
CREATE TABLE measurement (
  run TEXT NOT NULL,
  boot TEXT NOT NULL,
  device TEXT NOT NULL,
  seq BIGINT NOT NULL,
  name TEXT NOT NULL,
  phase TEXT NOT NULL,
  domain TEXT NOT NULL,
  probe TEXT NOT NULL,
  at_us BIGINT NOT NULL,
  wall_s DOUBLE PRECISION,
  cpu_s DOUBLE PRECISION,
  energy_j DOUBLE PRECISION,
  energy TEXT NOT NULL,
  contended INTEGER NOT NULL,
  PRIMARY KEY (run, boot, device, seq)
);
CREATE TABLE trial (
  task TEXT NOT NULL,
  candidate TEXT NOT NULL,
  repeat BIGINT NOT NULL,
  run TEXT NOT NULL,
  name TEXT NOT NULL,
  outcome TEXT NOT NULL,
  cause TEXT NOT NULL,
  cost_j DOUBLE PRECISION,
  cost TEXT NOT NULL,
  wall_s DOUBLE PRECISION,
  detail TEXT NOT NULL,
  recorded_us BIGINT NOT NULL,
  PRIMARY KEY (task, candidate, repeat, run)
);
CREATE INDEX trial_run ON trial (run);
)sql"};
static_assert(std::size(kMigrations) == kLedgerSchemaVersion);

// What the file's header says, before anything is changed.
struct FileState {
  int64_t version = 0;
  bool is_new = false;
};

Result<FileState> CheckOwner(const SqliteDb& db) {
  MODICUM_TRY(const int64_t id, db.QueryInt("PRAGMA application_id"));
  MODICUM_TRY(const int64_t version, db.QueryInt("PRAGMA user_version"));
  MODICUM_TRY(const int64_t objects,
              db.QueryInt("SELECT COUNT(*) FROM sqlite_master"));
  const FileState state{version, id == 0 && version == 0 && objects == 0};
  if (!state.is_new && id != kLedgerApplicationId)
    return Fail(ErrorCode::kInvalidInput,
                db.path() + " is a database, but not a Modicum ledger",
                "name another file with --ledger");
  if (version > kLedgerSchemaVersion)
    return Fail(ErrorCode::kInvalidInput,
                "ledger " + db.path() + " has schema version " +
                    std::to_string(version) + ", this program knows up to " +
                    std::to_string(kLedgerSchemaVersion),
                "use the newer Modicum that wrote it");
  return state;
}

// In one transaction: else another process, making the file at this moment,
// could be seen half-way.
Result<FileState> CheckOwnerAtOnce(const SqliteDb& db) {
  MODICUM_RETURN_IF_ERROR(db.Execute("BEGIN"));
  MODICUM_TRY(const FileState state, CheckOwner(db));
  MODICUM_RETURN_IF_ERROR(db.Execute("COMMIT"));
  return state;
}

// Two processes that switch at once are told "busy" without waiting, lest
// they wait for each other: so the wait is here.
Status UseWal(const SqliteDb& db) {
  const auto deadline = std::chrono::steady_clock::now() + kBusyTimeout;
  while (true) {
    const Status status = db.Execute("PRAGMA journal_mode=WAL");
    if (status || status.error().code != ErrorCode::kRetry ||
        std::chrono::steady_clock::now() > deadline)
      return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

Status Migrate(const SqliteDb& db) {
  MODICUM_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(db));
  // Another process may have migrated meanwhile.
  MODICUM_TRY(const FileState state, CheckOwner(db));
  for (int64_t v = state.version; v < kLedgerSchemaVersion; ++v)
    MODICUM_RETURN_IF_ERROR(db.Execute(kMigrations[v]));
  MODICUM_RETURN_IF_ERROR(db.Execute(
      "PRAGMA application_id=" + std::to_string(kLedgerApplicationId) +
      "; PRAGMA user_version=" + std::to_string(kLedgerSchemaVersion)));
  return transaction.Commit();
}

Status MakeFolderOf(const std::string& path) {
  const std::filesystem::path folder =
      std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (!error) return {};
  return Fail(error == std::errc::permission_denied ? ErrorCode::kPermission
                                                    : ErrorCode::kIo,
              "cannot create the ledger's folder " + folder.string() + ": " +
                  error.message(),
              "name a ledger elsewhere with --ledger");
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// By the effective user, as opening decides it.
bool CanWrite(const std::string& path) {
  return faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

// Without a log beside it the file is all there is: then it can be read where
// not even a lock file can be made.
SqliteDb::Mode ReadingMode(const std::string& path) {
  using enum SqliteDb::Mode;
  const std::filesystem::path folder =
      std::filesystem::absolute(path).parent_path();
  if (CanWrite(path) && CanWrite(folder)) return kExisting;
  return Exists(path + "-wal") ? kReadOnly : kImmutable;
}

Result<SqliteDb> OpenToRead(const std::string& path) {
  MODICUM_TRY(SqliteDb db, SqliteDb::Open(path, ReadingMode(path)));
  db.SetBusyTimeout(static_cast<int>(kBusyTimeout.count()));
  MODICUM_TRY(const FileState state, CheckOwnerAtOnce(db));
  if (state.version < kLedgerSchemaVersion)
    return Fail(ErrorCode::kInvalidInput,
                "ledger " + path + " has the old schema version " +
                    std::to_string(state.version),
                "open it once where it is writable: modicum ledger list "
                "--ledger " +
                    path);
  return db;
}

Result<SqliteDb> OpenToWrite(const std::string& path) {
  MODICUM_RETURN_IF_ERROR(MakeFolderOf(path));
  MODICUM_TRY(SqliteDb db, SqliteDb::Open(path, SqliteDb::Mode::kReadWrite));
  db.SetBusyTimeout(static_cast<int>(kBusyTimeout.count()));
  MODICUM_TRY(const FileState state, CheckOwnerAtOnce(db));
  MODICUM_RETURN_IF_ERROR(UseWal(db));
  MODICUM_RETURN_IF_ERROR(db.Execute("PRAGMA synchronous=FULL"));
  if (state.version < kLedgerSchemaVersion)
    MODICUM_RETURN_IF_ERROR(Migrate(db));
  return db;
}

}  // namespace

Result<SqliteDb> OpenLedgerFile(const std::string& path, LedgerAccess mode) {
  const bool exists = Exists(path);
  if (mode == LedgerAccess::kWrite && (!exists || CanWrite(path)))
    return OpenToWrite(path);
  if (!exists)
    return Fail(ErrorCode::kNotFound, "there is no ledger " + path,
                "check the path");
  return OpenToRead(path);
}

}  // namespace modicum
