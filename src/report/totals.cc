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

// Rounding, or a model's error, makes it no debt.
template <class Q>
void TakeFrom(std::optional<Estimate<Q>>& sum, const Estimate<Q>& part) {
  if (!sum) return;
  *sum = *sum - part;
  sum->difference = false;
  sum->mid = std::max(Q(0), sum->mid);
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
size_t CountNested(std::span<const Run> runs, const RunsInside& inside) {
  std::vector<const Run*> sorted;
  for (const Run& run : runs)
    if (run.bill && run.status != RunStatus::kRunning &&
        !inside.contains(run.id.text))
      sorted.push_back(&run);
  std::sort(sorted.begin(), sorted.end(), [](const Run* a, const Run* b) {
    if (a->started.micros != b->started.micros)
      return a->started.micros < b->started.micros;
    return a->ended.micros > b->ended.micros;
  });
  std::map<std::string, int64_t> ends;  // by machine: the latest end so far
  size_t nested = 0;
  for (const Run* run : sorted) {
    const auto [end, first] = ends.try_emplace(run->host.boot, 0);
    if (!first && run->ended.micros <= end->second && run->kind != kWatchKind)
      ++nested;
    end->second = std::max(end->second, run->ended.micros);
  }
  return nested;
}

// The idle policy by which a run is charged with all of a machine's idling.
constexpr std::string_view kAllIdling = "full";

// Microseconds of a machine's time, each divided by how many runs of `edges`
// (+1 where one starts, -1 where it ends) were there.
using Edges = std::map<int64_t, int>;
std::map<int64_t, double> ShareOfTime(const Edges& edges) {
  std::map<int64_t, double> until;
  int there = 0;
  double shared = 0;
  int64_t last = 0;
  for (const auto& [at, change] : edges) {
    if (there > 0) shared += static_cast<double>(at - last) / there;
    until[at] = shared;
    there += change;
    last = at;
  }
  return until;
}

// What of a bill counts where only a `part` of its idling does.
double WithIdling(const Bill& bill, double part) {
  const double own = bill.split.own().mid.value();
  if (own <= 0) return 1;
  return 1 - (1 - part) * bill.split.own_idle.mid.value() / own;
}

// RunOverlaps::idling.
std::map<std::string, double> IdlingParts(std::span<const Run> runs,
                                          const RunsInside& inside) {
  std::vector<const Run*> full;
  std::map<std::string, Edges> edges;  // by machine
  for (const Run& run : runs) {
    // Rows of a watch have divided it among themselves.
    if (!run.bill || run.status == RunStatus::kRunning ||
        run.kind == kWatchKind || run.bill->split.idle_policy != kAllIdling ||
        inside.contains(run.id.text) || run.ended.micros <= run.started.micros)
      continue;
    full.push_back(&run);
    ++edges[run.host.boot][run.started.micros];
    --edges[run.host.boot][run.ended.micros];
  }
  std::map<std::string, std::map<int64_t, double>> shared;
  for (const auto& [machine, its] : edges) shared[machine] = ShareOfTime(its);
  std::map<std::string, double> parts;
  for (const Run* run : full) {
    const auto& until = shared[run->host.boot];
    const double part =
        (until.at(run->ended.micros) - until.at(run->started.micros)) /
        static_cast<double>(run->ended.micros - run->started.micros);
    if (part < 1 - 1e-9) parts.emplace(run->id.text, part);
  }
  return parts;
}

}  // namespace

RunOverlaps::RunOverlaps(std::span<const Run> runs)
    : inside(FindInside(runs)), idling(IdlingParts(runs, inside)) {}

void RunSum::Add(const Run& run, double idling) {
  ++runs;
  if (!run.bill) return;
  const Bill& bill = *run.bill;
  const double factor = WithIdling(bill, idling);
  ++metered;
  wall += bill.wall;
  cpu += bill.cpu;
  AddTo(energy, bill.energy * factor);
  AddTo(operational, bill.operational * factor);
  AddTo(water, bill.water * factor);
  if (bill.operational_market) {
    ++with_market;
    AddTo(operational_market, *bill.operational_market * factor);
  }
  if (bill.embodied) {
    ++with_embodied;
    // It goes by the machine's time, all of which was charged.
    AddTo(embodied, *bill.embodied * idling);
  }
  if (!bill.money) return;
  ++with_money;
  const Estimate<Amount> amount = bill.money->amount * factor;
  const auto [sum, first] =
      money.try_emplace(std::string(bill.money->currency.view()),
                        MoneyEstimate{amount, bill.money->currency});
  if (!first) sum->second.amount = sum->second.amount + amount;
}

void RunSum::Take(const Bill& bill) {
  wall = std::max(Seconds(0), wall - bill.wall);
  cpu = std::max(Seconds(0), cpu - bill.cpu);
  TakeFrom(energy, bill.energy);
  TakeFrom(operational, bill.operational);
  TakeFrom(water, bill.water);
  if (bill.operational_market)
    TakeFrom(operational_market, *bill.operational_market);
  if (bill.embodied) TakeFrom(embodied, *bill.embodied);
  if (!bill.money) return;
  const auto sum = money.find(std::string(bill.money->currency.view()));
  if (sum == money.end()) return;
  std::optional<Estimate<Amount>> amount = sum->second.amount;
  TakeFrom(amount, bill.money->amount);
  sum->second.amount = *amount;
}

std::map<RunSumKey, RunSum> SumBy(
    std::span<const Run> runs, const RunOverlaps& overlaps,
    const std::function<RunSumKey(const Run&)>& key_of) {
  const auto& [inside, idling] = overlaps;
  std::map<RunSumKey, RunSum> sums;
  std::vector<std::pair<RunSum*, const Bill*>> taken;
  for (const Run& run : runs) {
    RunSum& sum = sums[key_of(run)];
    const auto outer = inside.find(run.id.text);
    RunSum* const other =
        outer == inside.end() ? nullptr : &sums[key_of(*outer->second)];
    if (other == &sum) {
      ++sum.runs;
      ++sum.inside;
      continue;
    }
    const auto part = idling.find(run.id.text);
    sum.Add(run, part == idling.end() ? 1 : part->second);
    if (other != nullptr && run.bill) taken.emplace_back(other, &*run.bill);
  }
  for (const auto& [sum, bill] : taken) sum->Take(*bill);
  return sums;
}

RunTotals TotalsOf(std::span<const Run> runs) {
  RunTotals totals;
  const RunOverlaps overlaps(runs);
  const auto by = [&](const std::function<std::string(const Run&)>& name) {
    return SumBy(runs, overlaps,
                 [&name](const Run& run) { return RunSumKey(name(run), ""); });
  };
  for (auto& [key, sum] : by([](const Run&) { return ""; }))
    totals.all = std::move(sum);
  for (auto& [key, sum] : by(&Run::kind))
    totals.by_kind.emplace(key.first, std::move(sum));
  for (const Run& run : runs) {
    ++totals.by_status[run.status];
    totals.machines.insert(HostSummary(run.host));
    totals.versions.insert(run.version);
    if (!totals.first || run.started.micros < totals.first->micros)
      totals.first = run.started;
    if (!totals.last || run.started.micros > totals.last->micros)
      totals.last = run.started;
    if (run.bill) AddBill(totals, *run.bill);
  }
  totals.nested = CountNested(runs, overlaps.inside);
  totals.sharing = overlaps.idling.size();
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
