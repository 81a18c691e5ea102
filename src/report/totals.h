// SPDX-License-Identifier: Apache-2.0
// Sums over runs of the ledger, whatever their outcome.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "record/types.h"

namespace modicum {

// What some runs took together. An estimate is absent when no run has one.
struct RunSum {
  size_t runs = 0;
  size_t metered = 0;  // with a bill; the others are in no sum
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

  void Add(const Run& run);
};

struct RunTotals {
  RunSum all;
  std::map<std::string, RunSum> by_kind;
  std::map<RunStatus, size_t> by_status;
  std::map<std::string, size_t> origins, scopes;  // of energies; metered runs
  std::set<std::string> machines, places, missing, versions;
  std::vector<Factor> factors;  // each once
  std::optional<WallTime> first, last;
  // Runs that another run of the same machine was inside of in time: started
  // by it, they are counted twice.
  size_t nested = 0;
};
RunTotals TotalsOf(std::span<const Run> runs);

// "38 ok, 3 failed, 1 interrupted".
std::string StatusCounts(const RunTotals& totals);
// "Intel Xeon, 2 logical CPUs, VM (KVM), no GPU".
std::string HostSummary(const HostFacts& host);

}  // namespace modicum
