// SPDX-License-Identifier: Apache-2.0
// A fit on its way: what its steps share, and the steps, in the order in which
// Fit (fit/fit.cc) takes them. Internal to Fit.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/remote_use.h"
#include "base/result.h"
#include "dataset/dataset.h"
#include "evaluate/metric.h"
#include "fit/candidates.h"
#include "fit/choose.h"
#include "fit/fit.h"
#include "fit/trial.h"
#include "meter/meter.h"
#include "record/evidence.h"

namespace modicum {

// Lifetime: `task` and `parts` outlive the job. Not thread-safe.
struct FitJob {
  FitJob(const Task& of_task, const FitParts& with_parts)
      : task(of_task),
        parts(with_parts),
        requirement{task.within, task.floor} {}

  const Task& task;
  const FitParts& parts;
  Requirement requirement;
  MonotonicTime began;
  const RemoteUses remote_before = RemoteUseSoFar();

  Dataset data;
  Split split;
  std::unique_ptr<Metric> metric;
  std::unique_ptr<TrialRunner> runner;
  std::vector<Candidate> space;

  std::vector<TrialOutcome> rung;      // on a part of the rows
  std::vector<TrialOutcome> outcomes;  // on all of them; as evidence.trials
  std::vector<TrialOutcome> finals;    // evidence.finals; those set aside too
  Seconds resumed_wall;

  uint64_t done = 0;
  uint64_t total = 1;
  FitEvidence evidence;

  void Progress(std::string_view what) {
    total = std::max(total, done + 1);
    if (parts.progress) parts.progress(done, total, what);
  }
  Seconds Elapsed() const { return parts.clock.Now() - began; }
  std::vector<Item> Items(const std::vector<uint32_t>& rows) const;
  // Null where the candidate was not tried on all rows.
  const TrialOutcome* OutcomeOf(const std::string& name) const;
  TrialEvidence& EvidenceOf(const std::string& name);
};

// Asks the search what to try, tries it, and keeps every outcome, those not
// tried and not followed among them (fit/fit_search.cc).
Status SearchCandidates(FitJob& job);

// A better look at the cost of the candidates that could change the answer;
// then the finalists refitted, the test opened once for them, and their cost
// measured in turn (fit/fit_measure.cc).
Status MeasureWhatMatters(FitJob& job);
// False where a finalist's endpoint failed: the choice is then another.
Result<bool> Confirm(FitJob& job);

// The trials' cost and time, those of an earlier fit left out or not; then
// what a search that ended, or stopped, spent beside them (fit/fit_charge.cc).
struct Spent {
  Joules joules;
  Seconds wall;
};
Spent SpentInTrials(const FitJob& job, bool with_resumed);
void ChargeSearch(FitJob& job, const WindowReading& reading);
void ChargeStopped(FitJob& job, const WindowReading& reading);

}  // namespace modicum
