// SPDX-License-Identifier: Apache-2.0
// The main job: the cheapest model that is good enough for a task, found by
// measuring, with the search itself charged. Fit gathers evidence; all it
// reports is derived from that (fit/derive.h).
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/root_fs.h"
#include "fit/task.h"
#include "meter/meter.h"
#include "place/place.h"
#include "record/fit_result.h"
#include "record/ledger.h"

namespace modicum {

// Planned use over which a trial must be able to pay for itself.
inline constexpr double kPlannedMonths = 12;

// How the space of candidates is walked; see fit/search.h.
enum class SearchKind { kLadder, kExhaustive };

struct FitParts {
  Ledger& ledger;
  Meter& meter;
  const Place& place;
  const HostFacts& host;
  const RootFs& fs;
  Clock& clock;
  std::stop_token stop;
  std::string data_dir;  // holds downloaded data and the trial cache
  std::string artifact;  // where to write it; "" = none
  std::string version;   // of modicum
  std::string metering;  // probes and idle policy: what a joule means
  Uuid run;              // under which trials are recorded
  // (done, total, what is being done)
  std::function<void(uint64_t, uint64_t, std::string_view)> progress{};
  SearchKind search = SearchKind::kLadder;
};

struct FitReport {
  FitEvidence evidence;
  FitResult result;
};

// Every trial is recorded in the ledger when it ends; a fit that was stopped
// goes on where it was. kInterrupted when asked to stop. A requirement that no
// candidate meets is a result without a choice, not an error.
Result<FitReport> Fit(const Task& task, const FitParts& parts);

}  // namespace modicum
