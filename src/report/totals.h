// SPDX-License-Identifier: Apache-2.0
// Sums over runs of the ledger, whatever their outcome.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "record/start_run.h"
#include "record/types.h"

namespace modicum {

// What some runs took together. An estimate is absent when no run has one.
struct RunSum {
  size_t runs = 0;
  size_t metered = 0;  // with a bill; the others are in no sum
  size_t inside = 0;   // of others, which hold their energy: in no sum
  size_t unmetered() const { return runs - metered - inside; }
  Seconds wall, cpu;
  std::optional<Estimate<Joules>> energy;
  std::optional<Estimate<GramsCo2e>> operational;
  std::optional<Estimate<MarketGramsCo2e>> operational_market;
  size_t with_market = 0;
  std::optional<Estimate<GramsCo2e>> embodied;
  size_t with_embodied = 0;
  std::optional<Estimate<Litres>> water;
  std::map<std::string, MoneyEstimate> money;  // by currency
  size_t with_money = 0;

  // `idling`: the part that counts of what idling it was charged with.
  void Add(const Run& run, double idling = 1);
  // What a run of these has of `bill`, which is in another sum.
  void Take(const Bill& bill);
};

// What runs have of each other's energy.
struct RunOverlaps {
  explicit RunOverlaps(std::span<const Run> runs);

  RunsInside inside;
  // By id, of runs that were charged with all of a machine's idling (idle
  // policy "full") while others were, too: the part that counts, such that
  // together they have it once.
  std::map<std::string, double> idling;
};

// Sums by what `key_of` makes of a run. One that is inside another is counted
// once: in no sum of its own where the other has the same key, else taken from
// the other's. Runs that share a machine's idling have it once.
using RunSumKey = std::pair<std::string, std::string>;
std::map<RunSumKey, RunSum> SumBy(
    std::span<const Run> runs, const RunOverlaps& overlaps,
    const std::function<RunSumKey(const Run&)>& key_of);

struct RunTotals {
  RunSum all;
  std::map<std::string, RunSum> by_kind;
  std::map<RunStatus, size_t> by_status;
  std::map<std::string, size_t> origins, scopes;  // of energies; metered runs
  std::set<std::string> machines, places, missing, versions;
  std::vector<Factor> factors;  // each once
  std::optional<WallTime> first, last;
  // Runs in the time of another run of the same machine which are not known to
  // be inside of it: started by it, they are counted twice.
  size_t nested = 0;
  // Runs that share a machine's idling; see RunOverlaps.
  size_t sharing = 0;
};
RunTotals TotalsOf(std::span<const Run> runs);

// "38 ok, 3 failed, 1 interrupted".
std::string StatusCounts(const RunTotals& totals);
// "Intel Xeon, 2 logical CPUs, VM (KVM), no GPU".
std::string HostSummary(const HostFacts& host);

}  // namespace modicum
