// SPDX-License-Identifier: Apache-2.0
// What a fit spent: in its trials, and beside them.
#include <algorithm>

#include "evaluate/cost.h"
#include "fit/fit_job.h"

namespace modicum {
namespace {

// What this process spent beside its trials; absent when nothing is left.
std::optional<Estimate<Joules>> BesideTrials(const FitJob& job,
                                             const WindowReading& reading) {
  const Estimate<Joules> own =
      WithRemote(OfWorkload(reading.split.own(), "training"),
                 RemoteUseSince(job.remote_before));
  const Joules in_trials = SpentInTrials(job, false).joules;
  if (own.mid <= in_trials) return std::nullopt;
  return own * (1 - in_trials / own.mid);
}

}  // namespace

// The trials' cost and time, those of an earlier fit left out or not.
Spent SpentInTrials(const FitJob& job, bool with_resumed) {
  Spent spent;
  for (const auto* list : {&job.rung, &job.outcomes, &job.finals})
    for (const TrialOutcome& outcome : *list) {
      if (outcome.evidence.resumed && !with_resumed) continue;
      spent.joules += outcome.evidence.cost.mid;
      spent.wall += outcome.evidence.wall;
    }
  return spent;
}

// What the search cost beside its trials: this process's own, and what earlier
// ones spent before they were stopped. Trials of an earlier fit are in theirs.
void ChargeSearch(FitJob& job, const WindowReading& reading) {
  if (const auto beside = BesideTrials(job, reading))
    job.evidence.search_parts.push_back(
        {"loading, measuring, choosing", *beside});
  job.evidence.search_wall = reading.wall + job.resumed_wall;
  const RemoteUses remote = RemoteUseSince(job.remote_before);
  if (!remote.empty()) {
    job.evidence.search_price = RemotePrice(remote);
    job.evidence.search_currency = remote.begin()->second.currency;
  }
  const auto stopped = job.runner->Unfinished();
  if (!stopped || !*stopped) return;
  job.evidence.search_parts.push_back({"stopped searches", (*stopped)->cost});
  job.evidence.search_wall += (*stopped)->wall;
}

// Keeps what a search that stops here spent beside the trials it recorded.
// Why it stops is what must be said, so a ledger that fails here is not.
void ChargeStopped(FitJob& job, const WindowReading& reading) {
  if (!job.runner) return;
  const auto beside = BesideTrials(job, reading);
  if (!beside) return;
  const Seconds wall = reading.wall - SpentInTrials(job, false).wall;
  const Status kept =
      job.runner->ChargeUnfinished(*beside, std::max(wall, Seconds(0)));
  static_cast<void>(kept);
}

}  // namespace modicum
