// SPDX-License-Identifier: Apache-2.0
// The ledger: an append-only SQLite file in WAL mode. Rows are keyed, writing
// a row twice is the same as writing it once, so ledgers merge by key.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "record/types.h"

namespace modicum {

// Which runs a listing shows; an empty field does not restrict.
struct RunFilter {
  std::string kind;
  std::string project;
  std::map<std::string, std::string> tags;
  std::optional<WallTime> since;
  size_t limit = 0;  // newest first; 0 = all
};

// Rows that a merge added or brought up to date.
struct MergeCount {
  int64_t runs = 0;
  int64_t measurements = 0;
  int64_t trials = 0;
};

// What closing the last connection costs.
enum class LedgerClose {
  kTidy,  // the log is folded into the one file: some fsyncs
  kFast,  // a short log stays beside the file ("-wal") for a later process
};

// Thread-safe: one connection behind a mutex. Several processes may hold the
// same file; a writer waits up to ten seconds for another.
class Ledger {
 public:
  // Creates the file and its folder when absent, migrates an older schema,
  // refuses a newer one and a file that is not a ledger.
  static Result<std::unique_ptr<Ledger>> Open(
      const std::string& path, LedgerClose close = LedgerClose::kTidy);
  virtual ~Ledger() = default;

  // kPermission: it can only be read, and each Put() would say so.
  virtual Status CheckWritable() const = 0;

  // Each call is one transaction, durable (fsynced) when it returns.
  // Insert, or update by id; a run that has ended is not reopened by an
  // earlier copy of it.
  Status Put(const Run& run) { return Put(run, {}); }
  // Both in one transaction, with one fsync.
  virtual Status Put(const Run& run, std::span<const Measurement> rows) = 0;
  virtual Status Put(std::span<const Measurement> rows) = 0;
  virtual Status Put(const Trial& trial) = 0;
  // Takes over what another ledger has and this one has not, by key; the
  // other is left as it is.
  virtual Result<MergeCount> MergeFrom(const std::string& path) = 0;

  virtual Result<std::vector<Run>> Runs(const RunFilter& filter) const = 0;
  // By full id or a unique prefix of at least 4 characters.
  virtual Result<Run> FindRun(std::string_view id_prefix) const = 0;
  virtual Result<std::vector<Measurement>> Measurements(
      const Uuid& run) const = 0;
  // The newest outcome for the key, of any run; for resuming.
  virtual Result<std::optional<Trial>> FindTrial(const TrialKey& key) const = 0;
  virtual Result<std::vector<Trial>> Trials(const Uuid& run) const = 0;

  virtual const std::string& path() const = 0;
};

}  // namespace modicum
