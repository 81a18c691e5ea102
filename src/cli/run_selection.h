// SPDX-License-Identifier: Apache-2.0
// Which runs of the ledger a command is about: the flags, and what they mean.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "record/ledger.h"

namespace CLI {
class App;
}

namespace modicum {

struct RunSelection {
  std::string kind;
  std::string since;
  std::vector<std::string> tags;
};

// --kind, --tag and --since.
void AddRunSelection(CLI::App& app, RunSelection& selection);

// kInvalidInput: an unknown kind, a tag that is not KEY=VALUE, a date that is
// none. --project restricts only where it was given as a flag.
Result<RunFilter> FilterOf(const RunSelection& selection,
                           const Settings& settings);

// "project p, since 2026-01-01"; "" when nothing is restricted.
std::string SelectionText(const RunSelection& selection,
                          const RunFilter& filter);

// The newest first; none when there is no ledger at `path`: looking at one
// does not make one.
Result<std::vector<Run>> SelectedRuns(const std::string& path,
                                      const RunFilter& filter);

}  // namespace modicum
