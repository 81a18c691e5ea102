// SPDX-License-Identifier: Apache-2.0
// The ledger's file: its schema, whose file it is, and how it is opened. The
// types are those that SQLite and PostgreSQL both know.
#pragma once

#include <string>

#include "base/result.h"
#include "record/sqlite.h"

namespace modicum {

// "Modc": tells a ledger from any other SQLite file.
inline constexpr int kLedgerApplicationId = 0x4D6F6463;
inline constexpr int kLedgerSchemaVersion = 1;

enum class LedgerAccess {
  kWrite,  // created or migrated as needed; read-only where it must be
  kRead,   // the file must exist and is left as it is
};

// A connection to a checked ledger of this version's schema, in WAL mode,
// every commit fsynced. Refuses foreign files and newer schemas.
Result<SqliteDb> OpenLedgerFile(const std::string& path, LedgerAccess access);

}  // namespace modicum
