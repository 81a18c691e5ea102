// SPDX-License-Identifier: Apache-2.0
#include "record/sqlite.h"

#include <sqlite3.h>

#include <limits>

namespace modicum {
namespace {

// Every byte escaped, so that no name has a meaning to SQLite.
std::string FileUri(std::string_view path) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    uri += '%';
    uri += kDigits[byte >> 4];
    uri += kDigits[byte & 15];
  }
  return uri;
}

}  // namespace

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void SqliteDb::Close::operator()(sqlite3* db) const { sqlite3_close_v2(db); }

SqliteStatement& SqliteStatement::Bind(std::string_view text) {
  // A null pointer would bind NULL, not the empty text.
  const char* data = text.empty() ? "" : text.data();
  const int code =
      sqlite3_bind_text64(statement_.get(), next_++, data, text.size(),
                          SQLITE_TRANSIENT, SQLITE_UTF8);
  if (failed_ == SQLITE_OK) failed_ = code;
  return *this;
}

SqliteStatement& SqliteStatement::Bind(int64_t number) {
  const int code = sqlite3_bind_int64(statement_.get(), next_++, number);
  if (failed_ == SQLITE_OK) failed_ = code;
  return *this;
}

SqliteStatement& SqliteStatement::Bind(double number) {
  const int code = sqlite3_bind_double(statement_.get(), next_++, number);
  if (failed_ == SQLITE_OK) failed_ = code;
  return *this;
}

SqliteStatement& SqliteStatement::BindNull() {
  const int code = sqlite3_bind_null(statement_.get(), next_++);
  if (failed_ == SQLITE_OK) failed_ = code;
  return *this;
}

SqliteStatement& SqliteStatement::BindRow(const SqliteStatement& row) {
  const int columns = sqlite3_column_count(row.statement_.get());
  for (int i = 0; i < columns; ++i) {
    const int code =
        sqlite3_bind_value(statement_.get(), next_++,
                           sqlite3_column_value(row.statement_.get(), i));
    if (failed_ == SQLITE_OK) failed_ = code;
  }
  return *this;
}

Result<bool> SqliteStatement::Step() {
  if (failed_ != SQLITE_OK) return Fail(db_->ErrorOf(failed_));
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  Error error = db_->ErrorOf(code);
  sqlite3_reset(statement_.get());
  return Fail(std::move(error));
}

Status SqliteStatement::Run() {
  auto row = Step();
  if (!row) return Fail(std::move(row).error());
  MODICUM_CHECK(!*row);
  Reset();
  return {};
}

void SqliteStatement::Reset() {
  sqlite3_reset(statement_.get());
  next_ = 1;
  failed_ = SQLITE_OK;
}

std::string SqliteStatement::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text), static_cast<size_t>(size)};
}

int64_t SqliteStatement::Int(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double SqliteStatement::Real(int column) const {
  if (IsNull(column)) return std::numeric_limits<double>::quiet_NaN();
  return sqlite3_column_double(statement_.get(), column);
}

bool SqliteStatement::IsNull(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

Result<SqliteDb> SqliteDb::Open(const std::string& path, Mode mode) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
  flags |= mode == Mode::kReadWrite || mode == Mode::kExisting
               ? SQLITE_OPEN_READWRITE
               : SQLITE_OPEN_READONLY;
  if (mode == Mode::kReadWrite) flags |= SQLITE_OPEN_CREATE;
  std::string uri = FileUri(path);
  if (mode == Mode::kImmutable) uri += "?immutable=1";
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(uri.c_str(), &handle, flags, nullptr);
  SqliteDb db(handle, path);
  if (code != SQLITE_OK) return Fail(db.ErrorOf(code));
  sqlite3_extended_result_codes(handle, 1);
  return db;
}

Result<SqliteStatement> SqliteDb::Prepare(std::string_view sql) const {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(
      db_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) return Fail(ErrorOf(code));
  return SqliteStatement(*this, statement);
}

Status SqliteDb::Execute(const std::string& sql) const {
  const int code =
      sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return Fail(ErrorOf(code));
  return {};
}

Result<int64_t> SqliteDb::QueryInt(std::string_view sql) const {
  MODICUM_TRY(SqliteStatement statement, Prepare(sql));
  MODICUM_TRY(const bool row, statement.Step());
  return row ? statement.Int(0) : 0;
}

Status SqliteDb::CheckWritable() const {
  if (sqlite3_db_readonly(db_.get(), "main") == 1)
    return Fail(ErrorOf(SQLITE_READONLY));
  return {};
}

int64_t SqliteDb::changes() const { return sqlite3_changes64(db_.get()); }

void SqliteDb::SetBusyTimeout(int milliseconds) {
  sqlite3_busy_timeout(db_.get(), milliseconds);
}

void SqliteDb::KeepLogOnClose() {
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Error SqliteDb::ErrorOf(int code) const {
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kRetry,
              "ledger " + path_ + " is locked by another process",
              "try again when that process has finished writing"};
    case SQLITE_FULL:
      return {ErrorCode::kIo, "no space left to write ledger " + path_,
              "free some space, or name a ledger elsewhere with --ledger; "
              "rows written before are safe"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {ErrorCode::kPermission, "ledger " + path_ + " is read-only",
              "make the file and its folder writable, or name another with "
              "--ledger"};
    case SQLITE_NOTADB:
      return {ErrorCode::kInvalidInput, path_ + " is not a Modicum ledger",
              "name another file with --ledger"};
    case SQLITE_CORRUPT:
      return {ErrorCode::kIo, "ledger " + path_ + " is damaged",
              "restore a copy, or save what is readable with: sqlite3 '" +
                  path_ + "' .recover"};
    case SQLITE_CANTOPEN:
      return {ErrorCode::kIo, "cannot open ledger " + path_,
              "check that its folder exists and is writable"};
    case SQLITE_IOERR:
      return {ErrorCode::kIo, "cannot read or write ledger " + path_,
              "check the disk and its free space; rows written before are "
              "safe"};
    default:
      return {ErrorCode::kInternal,
              "ledger " + path_ + ": " + sqlite3_errmsg(db_.get()),
              {}};
  }
}

Result<SqliteTransaction> SqliteTransaction::Begin(const SqliteDb& db) {
  MODICUM_RETURN_IF_ERROR(db.Execute("BEGIN IMMEDIATE"));
  return SqliteTransaction(db);
}

SqliteTransaction::~SqliteTransaction() {
  // Some errors have rolled back already; then this fails, as it may.
  if (db_ != nullptr) (void)db_->Execute("ROLLBACK");
}

Status SqliteTransaction::Commit() {
  MODICUM_RETURN_IF_ERROR(db_->Execute("COMMIT"));
  db_ = nullptr;
  return {};
}

}  // namespace modicum
