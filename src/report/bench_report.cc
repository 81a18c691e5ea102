// SPDX-License-Identifier: Apache-2.0
#include "report/bench_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/format.h"
#include "base/terminal.h"
#include "record/machine_text.h"
#include "record/quality_text.h"
#include "report/bench_rows.h"
#include "report/bill_report.h"
#include "report/columns.h"
#include "report/fit_rows.h"
#include "report/lines.h"

namespace modicum {
namespace {

// The page and the CSV show all of them.
constexpr size_t kPublishedShown = 4;

template <class Q>
std::string TextCell(const std::optional<Estimate<Q>>& estimate) {
  return estimate ? EstimateText(*estimate) : "-";
}

std::string Time(Seconds seconds) {
  return seconds > Seconds(0) ? FormatWithUnit(seconds.value(), "s") : "-";
}

std::string MetricOf(const BenchGroup& group) {
  for (const BenchRow* row : group.rows)
    if (row->quality) return row->quality->metric;
  return {};
}

// The number of items where it is not the title's.
std::string BenchQualityCell(const BenchRow& row) {
  if (!row.quality) return "-";
  std::string cell = FormatQualityFigure(*row.quality);
  if (row.quality->items != row.items)
    cell += fmt::format(", n {}", FormatCount(row.quality->items));
  return cell;
}

// What it needs and how good it is.
Table EnergyTable(const BenchGroup& group, size_t published) {
  const std::string metric = MetricOf(group);
  Table table(
      {{"model", Align::kLeft},
       {(metric.empty() ? "quality" : metric) + " [95 %]", Align::kLeft},
       {"kWh per 1,000 (sd)", Align::kLeft},
       {"per 1,000 inferences [90 %]", Align::kLeft},
       {"of it idle", Align::kLeft},
       {"runs", Align::kRight},
       {"stars", Align::kRight}});
  for (const BenchRow* row : group.rows)
    table.AddRow({RowName(*row), BenchQualityCell(*row),
                  KilowattHoursText(*row),
                  row->failure.empty() ? BenchEnergyText(*row) : "FAILED",
                  TextCell(row->idle_per_1000),
                  std::to_string(row->runs.size()), StarsText(*row)});
  for (const PublishedRow* row : group.published) {
    if (published-- == 0) break;
    const Reference& figure = row->figure;
    table.AddRow({figure.name, "-",
                  FormatNumber(InKilowattHours(Joules(figure.joules_per_1000))),
                  PublishedText(figure), "-", "-", "-"});
  }
  return table;
}

// What it emits, and the energy of one.
Table CostTable(const BenchGroup& group) {
  const auto any = [&](auto member) {
    return std::any_of(
        group.rows.begin(), group.rows.end(),
        [&](const BenchRow* row) { return (row->*member).has_value(); });
  };
  std::vector<std::pair<std::string, Align>> columns = {
      {"model", Align::kLeft},
      {"carbon per 1,000 [90 %]", Align::kLeft},
      {"km by car", Align::kLeft},
      {"phone charges", Align::kLeft}};
  const bool units = any(&BenchRow::joules_per_unit);
  const bool correct = any(&BenchRow::joules_per_correct);
  if (units) columns.emplace_back("per token", Align::kLeft);
  if (correct) columns.emplace_back("per correct answer", Align::kLeft);
  Table table(std::move(columns));
  for (const BenchRow* row : group.rows) {
    if (!row->joules_per_1000) continue;
    std::vector<std::string> cells = {
        RowName(*row), TextCell(row->g_co2e_per_1000),
        TextCell(row->car_km_per_1000), TextCell(row->phone_charges_per_1000)};
    if (units)
      cells.push_back(
          row->joules_per_unit
              ? fmt::format("{}, {}", TextCell(row->joules_per_unit),
                            row->unit.substr(row->unit.find(' ') + 1))
              : "-");
    if (correct) cells.push_back(TextCell(row->joules_per_correct));
    table.AddRow(std::move(cells));
  }
  return table;
}

// What is done once, and how long a call takes.
Table TimeTable(const BenchGroup& group) {
  Table table({{"model", Align::kLeft},
               {"load", Align::kLeft},
               {"first inference", Align::kLeft},
               {"per s", Align::kRight},
               {"p50", Align::kRight},
               {"p95", Align::kRight}});
  for (const BenchRow* row : group.rows)
    if (row->joules_per_1000)
      table.AddRow({RowName(*row), OnceText(row->load), OnceText(row->first),
                    FormatNumber(row->inferences_per_second),
                    Time(row->latency_p50), Time(row->latency_p95)});
  return table;
}

std::string MachineLines(const BenchResult& result) {
  std::set<std::string> seen;
  std::string text;
  for (const BenchRow& row : result.rows) {
    std::string line = row.machine;
    if (row.joules_per_1000)
      line += ": " + EnergyNote(*row.joules_per_1000) + "; idle charged " +
              row.idle_policy;
    // The factor may differ in its last digit from row to row.
    if (row.joules_per_1000 && seen.insert(row.machine).second)
      text += Line("machine", line);
  }
  return text;
}

std::string ManyLines(std::string_view label,
                      const std::vector<std::string>& texts) {
  std::string text;
  for (const std::string& each : texts) text += Line(label, each);
  return text;
}

std::string ReferenceLines(const BenchResult& result) {
  // One line a scope: the study's rows share theirs.
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::string>> names;
  for (const BenchGroup& group : GroupRows(result))
    for (size_t i = 0; i < std::min(kPublishedShown, group.published.size());
         ++i) {
      const Reference& figure = group.published[i]->figure;
      const std::string about =
          fmt::format("scope {}; {}", figure.scope,
                      figure.source.substr(0, figure.source.find(';')));
      auto& list = names[about];
      if (list.empty()) order.push_back(about);
      if (std::find(list.begin(), list.end(), figure.name) == list.end())
        list.push_back(figure.name);
    }
  std::string text;
  for (const std::string& about : order)
    text += Line("published",
                 fmt::format("{}; {}", fmt::join(names[about], "; "), about));
  return text;
}

std::string TitleOf(const BenchGroup& group) {
  uint64_t items = 0;
  for (const BenchRow* row : group.rows) items = std::max(items, row->items);
  return PlainText(
      fmt::format("{}, {}{}", group.task, group.data,
                  items > 0 ? ", " + FormatCount(items) + " items" : ""));
}

std::string RemarkLines(const BenchResult& result) {
  const RowRemarks remarks = RemarksOf(result);
  std::string text = ManyLines("failed", remarks.failed);
  text += Line("contended", JoinTexts(remarks.contended));
  if (!remarks.short_windows.empty())
    text += Line("short", "fewer than ten updates of a counter in " +
                              JoinTexts(remarks.short_windows));
  text += ManyLines("note", remarks.notes);
  text += Line("stars", StarRulesText(result));
  text += ManyLines("no stars", remarks.unrated);
  return text + ManyLines("note", result.notes);
}

std::string Number(double value) { return ExactNumber(value); }

template <class Q>
void AddEstimate(std::vector<std::string>& cells,
                 const std::optional<Estimate<Q>>& estimate) {
  if (!estimate) {
    cells.insert(cells.end(), {"", "", ""});
    return;
  }
  const Interval ends = estimate->interval();
  cells.insert(cells.end(), {Number(estimate->mid.value()), Number(ends.low),
                             Number(ends.high)});
}

void AddOnce(std::vector<std::string>& cells,
             const std::optional<BenchOnce>& once) {
  cells.push_back(once ? Number(once->energy.mid.value()) : "");
  cells.push_back(once ? Number(once->wall.value()) : "");
}

std::string Stars(const std::optional<int>& stars) {
  return stars ? std::to_string(*stars) : "";
}

std::vector<std::string> CsvCells(const BenchRow& row) {
  const auto& energy = row.joules_per_1000;
  std::vector<std::string> cells = {
      row.task,
      row.data,
      row.model,
      std::to_string(row.batch),
      std::to_string(row.length),
      "no",
      energy ? Number(InKilowattHours(energy->mid)) : "",
      energy ? Number(InKilowattHours(row.joules_sd)) : ""};
  AddEstimate(cells, energy);
  cells.push_back(energy ? std::string(OriginName(energy->origin)) : "");
  cells.push_back(energy ? std::string(ScopeName(energy->scope)) : "");
  cells.push_back(row.idle_policy);
  for (const auto* part : {&row.joules_per_1000_all, &row.idle_per_1000,
                           &row.active_per_1000, &row.machine_per_1000})
    cells.push_back(*part ? Number((*part)->mid.value()) : "");
  AddEstimate(cells, row.cpu_seconds_per_1000);
  AddEstimate(cells, row.g_co2e_per_1000);
  for (const auto* count : {&row.car_km_per_1000, &row.phone_charges_per_1000})
    cells.push_back(*count ? Number((*count)->mid.value()) : "");
  cells.push_back(row.quality ? row.quality->metric : "");
  cells.push_back(row.quality ? Number(row.quality->mid) : "");
  cells.push_back(row.quality ? Number(row.quality->low) : "");
  cells.push_back(row.quality ? Number(row.quality->high) : "");
  cells.push_back(row.quality ? std::to_string(row.quality->items) : "");
  cells.push_back(row.unit);
  cells.push_back(row.joules_per_unit ? Number(row.joules_per_unit->mid.value())
                                      : "");
  cells.push_back(row.joules_per_correct
                      ? Number(row.joules_per_correct->mid.value())
                      : "");
  AddOnce(cells, row.load);
  AddOnce(cells, row.first);
  cells.push_back(Number(row.inferences_per_second));
  cells.push_back(Number(row.latency_p50.value()));
  cells.push_back(Number(row.latency_p95.value()));
  cells.push_back(std::to_string(row.runs.size()));
  cells.push_back(
      row.runs.empty() ? "" : std::to_string(row.runs[0].repeat.predictions));
  cells.push_back(std::to_string(row.contended));
  cells.push_back(std::to_string(row.short_windows));
  cells.push_back(Stars(row.stars_equal_width));
  cells.push_back(Stars(row.stars_quintile));
  cells.push_back(row.star_set);
  cells.push_back(row.machine);
  cells.push_back(row.failure.empty() ? JoinTexts(row.notes) : row.failure);
  return cells;
}

constexpr const char* kCsvColumns[] = {"task",
                                       "data",
                                       "model",
                                       "batch",
                                       "length",
                                       "published",
                                       "kwh_per_1000",
                                       "kwh_per_1000_sd",
                                       "joules_per_1000",
                                       "joules_per_1000_low",
                                       "joules_per_1000_high",
                                       "origin",
                                       "scope",
                                       "idle_policy",
                                       "joules_per_1000_with_contended",
                                       "idle_joules_per_1000",
                                       "active_joules_per_1000",
                                       "machine_joules_per_1000",
                                       "cpu_s_per_1000",
                                       "cpu_s_per_1000_low",
                                       "cpu_s_per_1000_high",
                                       "g_co2e_per_1000",
                                       "g_co2e_per_1000_low",
                                       "g_co2e_per_1000_high",
                                       "car_km_per_1000",
                                       "phone_charges_per_1000",
                                       "metric",
                                       "quality",
                                       "quality_low",
                                       "quality_high",
                                       "quality_items",
                                       "unit",
                                       "joules_per_unit",
                                       "joules_per_correct",
                                       "load_joules",
                                       "load_s",
                                       "first_joules",
                                       "first_s",
                                       "inferences_per_s",
                                       "latency_p50_s",
                                       "latency_p95_s",
                                       "runs",
                                       "inferences_a_run",
                                       "contended_runs",
                                       "short_windows",
                                       "stars_equal_width",
                                       "stars_quintile",
                                       "star_set",
                                       "machine",
                                       "remark"};

// The columns that a published figure has.
std::vector<std::string> CsvCells(const PublishedRow& row) {
  const Reference& figure = row.figure;
  std::vector<std::string> cells(std::size(kCsvColumns));
  const auto set = [&](std::string_view name, std::string text) {
    for (size_t i = 0; i < cells.size(); ++i)
      if (kCsvColumns[i] == name) cells[i] = std::move(text);
  };
  set("task", row.task);
  set("model", figure.name);
  set("published", "yes");
  set("kwh_per_1000", Number(InKilowattHours(Joules(figure.joules_per_1000))));
  set("joules_per_1000", Number(figure.joules_per_1000));
  set("joules_per_1000_low", Number(figure.low));
  set("joules_per_1000_high", Number(figure.high));
  set("origin", figure.planned ? "computed" : "published");
  set("scope", figure.scope);
  set("remark", figure.source);
  return cells;
}

}  // namespace

std::string FormatBench(const BenchResult& result) {
  std::string text = Line("bench", result.name);
  text += Line("protocol", ProtocolText(result.protocol));
  text += MachineLines(result) + Line("place", result.place) + '\n';
  std::string verdict;
  for (const BenchGroup& group : GroupRows(result)) {
    text += TitleOf(group) + '\n' +
            EnergyTable(group, kPublishedShown).Text("  ") + '\n';
    if (group.ok())
      text += CostTable(group).Text("  ") + '\n' + TimeTable(group).Text("  ") +
              '\n';
    verdict += Wrapped(GroupVerdict(group), kTextColumns, 0) + '\n';
  }
  text += RemarkLines(result) + Line("missing", JoinTexts(result.missing)) +
          ReferenceLines(result);
  return text + '\n' + verdict;
}

std::string FormatBenchCsv(const BenchResult& result) {
  std::vector<std::pair<std::string, Align>> columns;
  for (const char* const name : kCsvColumns)
    columns.emplace_back(name, Align::kLeft);
  Table table(std::move(columns));
  for (const BenchRow& row : result.rows) table.AddRow(CsvCells(row));
  for (const PublishedRow& row : result.published) table.AddRow(CsvCells(row));
  return table.Csv();
}

std::string FormatBenchMarkdown(const BenchResult& result) {
  std::string text =
      fmt::format("# {}\n\n{}\n", result.name, ProtocolText(result.protocol));
  for (const BenchGroup& group : GroupRows(result)) {
    text += fmt::format("\n## {}\n\n{}\n", TitleOf(group),
                        EnergyTable(group, group.published.size()).Markdown());
    if (group.ok())
      text += fmt::format("\n{}\n\n{}\n", CostTable(group).Markdown(),
                          TimeTable(group).Markdown());
    text += fmt::format("\n{}\n", GroupVerdict(group));
  }
  const RowRemarks remarks = RemarksOf(result);
  std::vector<std::string> notes = remarks.failed;
  for (const auto* list : {&remarks.contended, &remarks.short_windows,
                           &remarks.notes, &remarks.unrated, &result.notes})
    notes.insert(notes.end(), list->begin(), list->end());
  if (const std::string stars = StarRulesText(result); !stars.empty())
    notes.push_back(stars);
  if (!notes.empty()) text += '\n';
  for (const std::string& note : notes) text += fmt::format("- {}\n", note);
  return text;
}

}  // namespace modicum
