// SPDX-License-Identifier: Apache-2.0
#include "report/chargeback.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/csv.h"
#include "base/format.h"
#include "base/terminal.h"
#include "record/json.h"
#include "report/bill_report.h"
#include "report/columns.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

std::string WhoOf(const Run& run, std::string_view by) {
  if (by == "project") return run.project;
  if (by == "kind") return run.kind;
  if (by == "host") return run.host.hostname;
  const auto tag = run.tags.find(std::string(by));
  return tag == run.tags.end() ? "" : tag->second;
}

std::string PeriodOf(const Run& run, ChargePeriod period) {
  constexpr size_t kMonthLength = 7;  // of "2026-11-26T..."
  constexpr size_t kDayLength = 10;
  if (period == ChargePeriod::kAll) return "";
  return FormatUtc(run.ended).substr(
      0, period == ChargePeriod::kMonths ? kMonthLength : kDayLength);
}

std::string OfCap(const Charge& charge, std::span<const ChargeCap> caps) {
  const auto cap = CapOf(charge, caps);
  if (!cap) return "-";
  const double used = charge.sum.energy ? charge.sum.energy->mid / *cap : 0;
  return fmt::format("{:.0f} % of {}{}", 100 * used,
                     FormatWithUnit(cap->value(), "J"),
                     used > 1 ? ", PAST" : "");
}

template <class Q>
std::string Text(const std::optional<Estimate<Q>>& estimate) {
  return estimate ? FormatEstimate(*estimate) : "-";
}

std::string MoneyText(const std::map<std::string, MoneyEstimate>& money) {
  std::string text;
  for (const auto& [currency, sum] : money)
    text += (text.empty() ? "" : "; ") + FormatMoney(sum);
  return text.empty() ? "-" : text;
}

std::string NameOf(const Charge& charge, const ChargeView& view) {
  return charge.who.empty() ? "(no " + PlainText(view.by) + ")"
                            : PlainText(charge.who);
}

// Of the runs with a contract, which need not be all.
std::string MarketText(const RunSum& sum) {
  if (sum.with_market == sum.metered) return Text(sum.operational_market);
  return fmt::format("{} ({} of {} runs)", Text(sum.operational_market),
                     sum.with_market, sum.metered);
}

Table ChargeTable(std::span<const Charge> charges, const ChargeView& view) {
  const bool periods =
      std::any_of(charges.begin(), charges.end(),
                  [](const Charge& charge) { return !charge.period.empty(); });
  std::vector<std::pair<std::string, Align>> columns;
  if (periods) columns.emplace_back("period", Align::kLeft);
  columns.insert(columns.end(), {{PlainText(view.by), Align::kLeft},
                                 {"runs", Align::kRight},
                                 {"failed", Align::kRight},
                                 {"not metered", Align::kRight},
                                 {"CPU", Align::kRight},
                                 {"energy [90 %]", Align::kLeft},
                                 {"carbon [90 %]", Align::kLeft},
                                 {"embodied [90 %]", Align::kLeft},
                                 {"water [90 %]", Align::kLeft},
                                 {"electricity", Align::kLeft}});
  const bool market = std::any_of(
      charges.begin(), charges.end(),
      [](const Charge& charge) { return charge.sum.with_market > 0; });
  if (market) columns.emplace_back("market-based carbon", Align::kLeft);
  if (!view.caps.empty()) columns.emplace_back("cap", Align::kLeft);
  Table table(std::move(columns));
  for (const Charge& charge : charges) {
    const RunSum& sum = charge.sum;
    std::vector<std::string> cells;
    if (periods) cells.push_back(charge.period);
    cells.insert(
        cells.end(),
        {NameOf(charge, view), FormatCount(sum.runs),
         FormatCount(charge.failed), FormatCount(sum.unmetered()),
         FormatDuration(sum.cpu), Text(sum.energy), Text(sum.operational),
         Text(sum.embodied), Text(sum.water), MoneyText(sum.money)});
    if (market) cells.push_back(MarketText(sum));
    if (!view.caps.empty()) cells.push_back(OfCap(charge, view.caps));
    table.AddRow(std::move(cells));
  }
  return table;
}

template <class Q>
std::string CsvCells(const std::optional<Estimate<Q>>& estimate) {
  if (!estimate) return ",,,,";
  return fmt::format(",{},{},{},{}", ExactNumber(estimate->mid.value()),
                     ExactNumber(estimate->low().value()),
                     ExactNumber(estimate->high().value()),
                     OriginName(estimate->origin));
}

std::string CsvEstimateHeader(std::string_view name, std::string_view unit) {
  return fmt::format(",{0}_{1},{0}_low_{1},{0}_high_{1},{0}_origin", name,
                     unit);
}

// A row for each currency: sums of two are none.
std::string CsvOf(std::span<const Charge> charges, const ChargeView& view) {
  std::string text =
      "period," + CsvField(view.by) + ",runs,failed,not_metered,cpu_s" +
      CsvEstimateHeader("energy", "j") + CsvEstimateHeader("carbon", "g") +
      CsvEstimateHeader("embodied", "g") + CsvEstimateHeader("water", "l") +
      CsvEstimateHeader("money", "amount") + ",currency,cap_j" +
      CsvEstimateHeader("carbon_market", "g") + ",market_runs,inside_others\n";
  for (const Charge& charge : charges) {
    const RunSum& sum = charge.sum;
    const auto cap = CapOf(charge, view.caps);
    const std::string shared = fmt::format(
        "{},{},{},{},{},{}{}{}{}{}", charge.period, CsvField(charge.who),
        sum.runs, charge.failed, sum.unmetered(), ExactNumber(sum.cpu.value()),
        CsvCells(sum.energy), CsvCells(sum.operational), CsvCells(sum.embodied),
        CsvCells(sum.water));
    const std::string tail = fmt::format(
        "{}{},{},{}", cap ? ExactNumber(cap->value()) : "",
        CsvCells(sum.operational_market), sum.with_market, sum.inside);
    if (sum.money.empty()) text += shared + ",,,,,," + tail + "\n";
    for (const auto& [currency, money] : sum.money)
      text +=
          fmt::format("{}{},{},{}\n", shared,
                      CsvCells(std::optional(money.amount)), currency, tail);
  }
  return text;
}

template <class Q>
Json JsonOf(const std::optional<Estimate<Q>>& estimate) {
  return estimate ? ToJson(*estimate, JsonStyle::kReadable) : Json(nullptr);
}

std::string JsonTextOf(std::span<const Charge> charges,
                       const ChargeView& view) {
  Json rows = Json::array();
  for (const Charge& charge : charges) {
    const RunSum& sum = charge.sum;
    Json money = Json::array();
    for (const auto& [currency, cost] : sum.money)
      money.push_back({{"amount", ToJson(cost.amount, JsonStyle::kReadable)},
                       {"currency", currency}});
    Json row = {{"period", charge.period},
                {view.by, charge.who},
                {"runs", sum.runs},
                {"failed", charge.failed},
                {"not_metered", sum.unmetered()},
                {"inside_others", sum.inside},
                {"cpu_s", sum.cpu.value()},
                {"energy", JsonOf(sum.energy)},
                {"operational", JsonOf(sum.operational)},
                {"operational_market", JsonOf(sum.operational_market)},
                {"market_runs", sum.with_market},
                {"embodied", JsonOf(sum.embodied)},
                {"water", JsonOf(sum.water)},
                {"money", std::move(money)}};
    if (const auto cap = CapOf(charge, view.caps)) row["cap_j"] = cap->value();
    rows.push_back(std::move(row));
  }
  return ReadableText(rows);
}

}  // namespace

std::vector<Charge> ChargesOf(std::span<const Run> runs, std::string_view by,
                              ChargePeriod period) {
  const auto key_of = [&](const Run& run) {
    return RunSumKey(PeriodOf(run, period), WhoOf(run, by));
  };
  std::map<RunSumKey, size_t> failed;
  for (const Run& run : runs)
    if (run.status == RunStatus::kFailed) ++failed[key_of(run)];
  std::vector<Charge> rows;
  for (auto& [key, sum] : SumBy(runs, RunOverlaps(runs), key_of))
    rows.push_back({key.first, key.second, std::move(sum), failed[key]});
  std::stable_sort(
      rows.begin(), rows.end(), [](const Charge& a, const Charge& b) {
        return a.period != b.period ? a.period < b.period
                                    : a.who.empty() < b.who.empty();
      });
  return rows;
}

std::optional<Joules> CapOf(const Charge& charge,
                            std::span<const ChargeCap> caps) {
  std::optional<Joules> common;
  for (const ChargeCap& cap : caps) {
    if (!cap.who.empty() && cap.who == charge.who) return cap.energy;
    if (cap.who.empty()) common = cap.energy;
  }
  return common;
}

std::string FormatCharges(std::span<const Charge> charges,
                          const ChargeView& view, std::string_view format) {
  if (format == "csv") return CsvOf(charges, view);
  if (format == "json") return JsonTextOf(charges, view);
  if (charges.empty()) return "";
  const Table table = ChargeTable(charges, view);
  return format == "md" ? table.Markdown() : table.Text();
}

}  // namespace modicum
