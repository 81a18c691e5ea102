// SPDX-License-Identifier: Apache-2.0
// SQLite's C API with owners for its handles and our errors. Nothing here
// knows the ledger's schema.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace modicum {

class SqliteDb;

// A prepared statement. Bind() in order, then Step() until it gives false;
// Reset() to use it again. Lifetime: the database must outlive it.
class SqliteStatement {
 public:
  // The text is copied.
  SqliteStatement& Bind(std::string_view text);
  SqliteStatement& Bind(int64_t number);
  SqliteStatement& Bind(double number);
  SqliteStatement& BindNull();
  // Binds the columns of another statement's current row.
  SqliteStatement& BindRow(const SqliteStatement& row);

  // True: a row is ready. Binding errors show here.
  Result<bool> Step();
  // For a statement without rows.
  Status Run();
  void Reset();

  // Columns of the current row, 0-based. A number that was NULL is NaN.
  std::string Text(int column) const;
  int64_t Int(int column) const;
  double Real(int column) const;
  bool IsNull(int column) const;

 private:
  friend class SqliteDb;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  SqliteStatement(const SqliteDb& db, sqlite3_stmt* statement)
      : db_(&db), statement_(statement) {}

  const SqliteDb* db_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int next_ = 1;    // parameter that the next Bind() sets
  int failed_ = 0;  // first error code of a Bind()
};

// One connection. Not thread-safe.
class SqliteDb {
 public:
  enum class Mode {
    kReadWrite,  // created when absent
    kExisting,   // the same, but not created
    kReadOnly,
    kImmutable,  // read-only, and nobody else writes: needs no lock file
  };
  static Result<SqliteDb> Open(const std::string& path, Mode mode);

  Result<SqliteStatement> Prepare(std::string_view sql) const;
  // Runs statements that give no rows.
  Status Execute(const std::string& sql) const;
  // The first column of the first row, as "PRAGMA user_version" gives it.
  Result<int64_t> QueryInt(std::string_view sql) const;
  // Rows inserted or changed by the last statement.
  int64_t changes() const;
  // Waits this long for another connection's lock.
  void SetBusyTimeout(int milliseconds);
  // kPermission where it was opened to be read alone.
  Status CheckWritable() const;
  // Closing leaves a WAL file as it is.
  void KeepLogOnClose();
  const std::string& path() const { return path_; }

  // The code's Error: what failed, in which file, what to do.
  Error ErrorOf(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  SqliteDb(sqlite3* db, std::string path) : db_(db), path_(std::move(path)) {}

  std::unique_ptr<sqlite3, Close> db_;
  std::string path_;
};

// BEGIN IMMEDIATE now; rolled back at the end of scope unless committed.
class SqliteTransaction {
 public:
  static Result<SqliteTransaction> Begin(const SqliteDb& db);
  SqliteTransaction(SqliteTransaction&& other) noexcept : db_(other.db_) {
    other.db_ = nullptr;
  }
  SqliteTransaction& operator=(SqliteTransaction&&) = delete;
  ~SqliteTransaction();
  Status Commit();

 private:
  explicit SqliteTransaction(const SqliteDb& db) : db_(&db) {}
  const SqliteDb* db_;
};

}  // namespace modicum
