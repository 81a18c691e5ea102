// SPDX-License-Identifier: Apache-2.0
#include "report/ledger_html.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/format.h"
#include "report/bars.h"
#include "report/bill_report.h"
#include "report/columns.h"
#include "report/fit_rows.h"
#include "report/html.h"
#include "report/totals.h"

namespace modicum {
namespace {

constexpr size_t kDaysShown = 31;  // more are summed by month
constexpr size_t kRunsShown = 500;
constexpr size_t kLedgerNameColumns = 60;

using ByPeriod = std::map<std::string, RunSum>;

// By day, "2026-01-31"; by month, "2026-01", where there are many days.
ByPeriod Periods(std::span<const Run> runs) {
  const RunOverlaps overlaps(runs);
  for (const size_t digits : {size_t{10}, size_t{7}}) {
    ByPeriod periods;
    for (auto& [key, sum] : SumBy(runs, overlaps, [digits](const Run& run) {
           return RunSumKey(FormatUtc(run.started).substr(0, digits), "");
         }))
      periods.emplace(key.first, std::move(sum));
    if (periods.size() <= kDaysShown || digits == 7) return periods;
  }
  return {};
}

std::string Sum(const RunSum& sum) {
  return sum.energy ? EstimateText(*sum.energy) : "not metered";
}

std::string PeriodFigure(std::span<const Run> runs) {
  Bars bars{
      "Energy by day or month, UTC", "One bar a period, in order of time.", {}};
  std::vector<std::vector<std::string>> rows;
  bool measured = true;
  for (const auto& [period, sum] : Periods(runs)) {
    const bool counted = sum.energy && IsMeasured(sum.energy->origin);
    measured = measured && counted;
    const std::string name =
        fmt::format("{}, {} run{}", period, sum.runs, sum.runs == 1 ? "" : "s");
    const double joules = sum.energy ? sum.energy->mid.value() : 0;
    bars.rows.push_back({name,
                         Sum(sum),
                         sum.energy ? FormatWithUnit(joules, "J") : "-",
                         {{joules, counted, false}}});
    rows.push_back(
        {EscapeHtml(period), FormatCount(sum.runs), EscapeHtml(Sum(sum))});
  }
  return Figure(DrawBars(bars) + Key({measured ? BarKey("bs", "measured")
                                               : BarKey("bh",
                                                        "hatched: "
                                                        "modelled")}),
                "Sums with 90 % intervals.",
                HtmlTable("Energy by period",
                          {{"UTC"}, {"runs"}, {"energy [90 %]"}}, rows));
}

std::string MoneyText(const RunSum& sum) {
  std::string text;
  for (const auto& [currency, money] : sum.money)
    text += (text.empty() ? "" : "; ") + FormatMoney(money);
  return text;
}

template <class Q>
std::string OrNothing(const std::optional<Estimate<Q>>& estimate) {
  return estimate ? FormatEstimate(*estimate) : "";
}

// Names and values, as text.
std::vector<std::pair<std::string, std::string>> TotalFacts(
    const RunTotals& totals) {
  const RunSum& all = totals.all;
  std::vector<std::pair<std::string, std::string>> facts{
      {"runs", fmt::format("{} ({}); metered {}", FormatCount(all.runs),
                           StatusCounts(totals), FormatCount(all.metered))}};
  if (!all.energy) return facts;
  facts.insert(facts.end(), {{"time", fmt::format("{} wall, {} CPU",
                                                  FormatDuration(all.wall),
                                                  FormatDuration(all.cpu))},
                             {"energy", EstimateText(*all.energy)},
                             {"carbon", OrNothing(all.operational)},
                             {"embodied", OrNothing(all.embodied)},
                             {"water", OrNothing(all.water)},
                             {"money", MoneyText(all)}});
  if (all.operational_market)
    facts.emplace_back("market",
                       fmt::format("{}, carbon by contract of {} metered runs",
                                   FormatEstimate(*all.operational_market),
                                   FormatCount(all.with_market)));
  for (const auto* set : {&totals.places, &totals.machines, &totals.missing})
    facts.emplace_back(set == &totals.places     ? "place"
                       : set == &totals.machines ? "machine"
                                                 : "missing",
                       JoinTexts({set->begin(), set->end()}));
  if (all.inside > 0)
    facts.emplace_back("inside",
                       fmt::format("{} ran inside another run, which holds "
                                   "their energy: it is counted once",
                                   all.inside));
  if (totals.sharing > 0)
    facts.emplace_back("idling",
                       fmt::format("{} were each charged with all of a "
                                   "machine's at the same time: it is divided "
                                   "among them",
                                   totals.sharing));
  if (totals.nested > 0)
    facts.emplace_back(
        "note", fmt::format("{} ran while another run of the same machine "
                            "lasted; where one started the other, its energy "
                            "is counted twice",
                            totals.nested));
  return facts;
}

std::string RunsTable(std::span<const Run> runs) {
  std::vector<std::vector<std::string>> rows;
  for (const Run& run : runs.first(std::min(runs.size(), kRunsShown))) {
    const std::string started = FormatUtc(run.started);
    rows.push_back(
        {EscapeHtml(PlainText(run.name, kLedgerNameColumns)) +
             Element("small", run.id.text.substr(0, 8)),
         EscapeHtml(run.kind) +
             Element("small", std::string(RunStatusName(run.status))),
         started.substr(0, 10) + Element("small", started.substr(11, 5)),
         run.bill ? FormatDuration(run.bill->wall) : "-",
         run.bill ? TwoLines(EstimateText(run.bill->energy)) : "not metered",
         run.bill ? TwoLines(FormatEstimate(run.bill->operational)) : "-",
         EscapeHtml(JoinTags(run.tags))});
  }
  return HtmlTable("Runs, the newest first",
                   {{"run"},
                    {"kind, status"},
                    {"started (UTC)"},
                    {"time", Align::kRight},
                    {"energy [90 %]"},
                    {"carbon [90 %]"},
                    {"tags"}},
                   rows);
}

}  // namespace

std::string FormatRunsHtml(std::span<const Run> runs,
                           const std::string& selection) {
  const RunTotals totals = TotalsOf(runs);
  std::string main =
      Element("p class=\"kick\"", "Just enough AI: the ledger") + "\n" +
      Element("h1", selection.empty() ? "All runs" : selection) + "\n";
  if (runs.empty()) return HtmlPage("Ledger", main + Element("p", "No runs."));
  Facts facts;
  for (const auto& [name, text] : TotalFacts(totals))
    facts.emplace_back(name, EscapeHtml(text));
  main += FactList(facts) + Element("h2", "Energy over time") + "\n" +
          PeriodFigure(runs) + Element("h2", "Runs") + "\n" + RunsTable(runs);
  if (runs.size() > kRunsShown)
    main += Element("p class=\"mu\"",
                    fmt::format("{} older runs are in the sums and not shown; "
                                "`modicum ledger export` has all.",
                                FormatCount(runs.size() - kRunsShown)));
  return HtmlPage("Ledger", main + FactorTable(totals.factors));
}

std::string FormatTotalsText(std::span<const Run> runs) {
  std::string text;
  for (const auto& [name, value] : TotalFacts(TotalsOf(runs)))
    if (!value.empty())
      text += fmt::format("{:<10}{}\n", name, PlainText(value));
  return text;
}

std::string FormatTotalsMarkdown(std::span<const Run> runs) {
  std::string text;
  for (const auto& [name, value] : TotalFacts(TotalsOf(runs)))
    if (!value.empty())
      text += fmt::format("- {}: {}\n", name, PlainText(value));
  return text;
}

}  // namespace modicum
