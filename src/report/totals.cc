// SPDX-License-Identifier: Apache-2.0
#include "report/totals.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/bill_report.h"

namespace modicum {
namespace {

template <class Q>
void AddTo(std::optional<Estimate<Q>>& sum, const Estimate<Q>& value) {
  sum = sum ? *sum + value : value;
}

bool SameFactor(const Factor& a, const Factor& b) {
  return a.name == b.name && a.value == b.value && a.unit == b.unit &&
         a.source == b.source && a.date == b.date;
}

void AddBill(RunTotals& totals, const Bill& bill) {
  ++totals.origins[std::string(OriginName(bill.energy.origin))];
  ++totals.scopes[std::string(ScopeName(bill.energy.scope))];
  totals.places.insert(bill.place);
  totals.missing.insert(bill.missing.begin(), bill.missing.end());
  for (const Factor& factor : bill.factors)
    if (std::none_of(
            totals.factors.begin(), totals.factors.end(),
            [&](const Factor& known) { return SameFactor(known, factor); }))
      totals.factors.push_back(factor);
}

// By start, the longer first: a run is nested when an earlier one of its
// machine ends no sooner. Rows of a watch lie side by side.
size_t CountNested(std::span<const Run> runs) {
  std::vector<const Run*> sorted;
  for (const Run& run : runs)
    if (run.bill && run.status != RunStatus::kRunning) sorted.push_back(&run);
  std::sort(sorted.begin(), sorted.end(), [](const Run* a, const Run* b) {
    if (a->started.micros != b->started.micros)
      return a->started.micros < b->started.micros;
    return a->ended.micros > b->ended.micros;
  });
  std::map<std::string, int64_t> ends;  // by machine: the latest end so far
  size_t nested = 0;
  for (const Run* run : sorted) {
    const auto [end, first] = ends.try_emplace(run->host.boot, 0);
    if (!first && run->ended.micros <= end->second && run->kind != "watch")
      ++nested;
    end->second = std::max(end->second, run->ended.micros);
  }
  return nested;
}

}  // namespace

void RunSum::Add(const Run& run) {
  ++runs;
  if (!run.bill) return;
  const Bill& bill = *run.bill;
  ++metered;
  wall += bill.wall;
  cpu += bill.cpu;
  AddTo(energy, bill.energy);
  AddTo(operational, bill.operational);
  AddTo(water, bill.water);
  if (bill.operational_market) {
    ++with_market;
    AddTo(operational_market, *bill.operational_market);
  }
  if (bill.embodied) {
    ++with_embodied;
    AddTo(embodied, *bill.embodied);
  }
  if (!bill.money) return;
  ++with_money;
  const auto [sum, first] =
      money.try_emplace(std::string(bill.money->currency.view()), *bill.money);
  if (!first) sum->second.amount = sum->second.amount + bill.money->amount;
}

RunTotals TotalsOf(std::span<const Run> runs) {
  RunTotals totals;
  for (const Run& run : runs) {
    totals.all.Add(run);
    totals.by_kind[run.kind].Add(run);
    ++totals.by_status[run.status];
    totals.machines.insert(HostSummary(run.host));
    totals.versions.insert(run.version);
    if (!totals.first || run.started.micros < totals.first->micros)
      totals.first = run.started;
    if (!totals.last || run.started.micros > totals.last->micros)
      totals.last = run.started;
    if (run.bill) AddBill(totals, *run.bill);
  }
  totals.nested = CountNested(runs);
  return totals;
}

std::string StatusCounts(const RunTotals& totals) {
  std::string text;
  for (const auto& [status, count] : totals.by_status)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count,
                        RunStatusName(status));
  return text;
}

std::string HostSummary(const HostFacts& host) {
  std::string text =
      fmt::format("{}, {} logical CPU{}", host.cpu_model, host.logical_cpus,
                  host.logical_cpus == 1 ? "" : "s");
  if (host.virtual_machine) text += ", VM (" + host.hypervisor + ")";
  text += host.gpus.empty()
              ? ", no GPU"
              : fmt::format(", {} x {}", host.gpus.size(), host.gpus[0]);
  return PlainText(text);
}

}  // namespace modicum
