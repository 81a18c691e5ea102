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

// Thread-safe: one connection behind a mutex. Several processes may hold the
// same file; a writer waits up to ten seconds for another.
class Ledger {
 public:
  // Creates the file and its folder when absent, migrates an older schema,
  // refuses a newer one and a file that is not a ledger.
  static Result<std::unique_ptr<Ledger>> Open(const std::string& path);
  virtual ~Ledger() = default;

  // Each call is one transaction, durable (fsynced) when it returns.
  virtual Status Put(const Run& run) = 0;  // insert, or update by id
  virtual Status Put(std::span<const Measurement> rows) = 0;
  virtual Status Put(const Trial& trial) = 0;

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
