// SPDX-License-Identifier: Apache-2.0
#include "report/plan_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/csv.h"
#include "base/format.h"
#include "base/terminal.h"
#include "record/json.h"
#include "report/columns.h"
#include "report/lines.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

constexpr int kDigits = 3;
constexpr double kBarColumns = 40;
constexpr std::string_view kIntervals =
    "Intervals are P10 to P90: one run in five is expected outside.";

bool HasRange(const Plan& plan) {
  return std::ranges::any_of(plan.figures,
                             [](const PlanFigure& f) { return !f.exact(); });
}

Table FiguresOf(const Plan& plan) {
  Table table({{"figure", Align::kLeft},
               {"P50", Align::kRight},
               {"P10 to P90", Align::kLeft},
               {"origin", Align::kLeft},
               {"source", Align::kLeft}});
  for (const PlanFigure& figure : plan.figures)
    table.AddRow({figure.label, FigureValue(figure), FigureRange(figure),
                  std::string(OriginName(figure.origin)), figure.source});
  return table;
}

Table TextTable(const PlanTable& from) {
  std::vector<std::pair<std::string, Align>> columns;
  for (const std::string& column : from.columns)
    columns.emplace_back(column, Align::kLeft);
  Table table(std::move(columns));
  for (const auto& row : from.rows) table.AddRow(row);
  return table;
}

double SumOf(const PlanBar& bar) {
  double sum = 0;
  for (const PlanBar::Part& part : bar.parts) sum += part.value;
  return sum;
}

// '#' for each fortieth of the bar's length, from where the parts before end:
// a waterfall.
std::string Drawn(double from, double value, double whole) {
  if (!(whole > 0) || !std::isfinite(whole)) return {};
  const auto column = [&](double at) {
    return static_cast<size_t>(std::lround(kBarColumns * at / whole));
  };
  const size_t begin = column(from);
  const size_t end =
      std::max(column(from + value), begin + (value > 0 ? 1 : 0));
  return std::string(begin, ' ') + std::string(end - begin, '#');
}

Table RowsOf(const PlanBar& bar) {
  const double sum = SumOf(bar);
  const double whole = std::max(sum, bar.limit.value_or(sum));
  Table table({{bar.title, Align::kLeft},
               {bar.unit, Align::kRight},
               {"share", Align::kRight},
               {"", Align::kLeft}});
  double at = 0;
  for (const PlanBar::Part& part : bar.parts) {
    table.AddRow({part.label, FormatNumber(part.value, kDigits),
                  fmt::format("{:.0f} %", sum > 0 ? 100 * part.value / sum : 0),
                  Drawn(at, part.value, whole)});
    at += part.value;
  }
  table.AddRow({"total", FormatNumber(sum, kDigits), "", Drawn(0, sum, whole)});
  if (bar.limit)
    table.AddRow({bar.limit_label, FormatNumber(*bar.limit, kDigits), "",
                  Drawn(0, *bar.limit, whole)});
  return table;
}

std::string Pairs(
    const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string text;
  for (const auto& [name, value] : pairs)
    text += fmt::format("{}{} {}", text.empty() ? "" : "; ", name, value);
  return text;
}

std::string PlanFactorText(const Factor& factor) {
  return fmt::format("{} {}{}{}: {}{}{}", factor.name,
                     FormatNumber(factor.value, 4),
                     factor.unit.empty() ? "" : " ", factor.unit, factor.source,
                     factor.date.empty() ? "" : ", ", factor.date);
}

std::string FitsText(const Plan& plan) {
  if (!plan.fits) return plan.verdict;
  return (*plan.fits ? "fits: " : "does not fit: ") + plan.verdict;
}

std::string NotesText(const Plan& plan) {
  std::string text;
  for (const std::string& note : plan.notes)
    text += Wrapped("- " + note, kTextColumns, 2) + "\n";
  if (HasRange(plan)) text += fmt::format("- {}\n", kIntervals);
  return text;
}

std::string FormatPlanText(const Plan& plan) {
  std::string text = plan.title + "\n\n";
  text += Line("inputs", Pairs(plan.inputs));
  text += Line("verdict", FitsText(plan));
  text += Line("choices", Pairs(plan.choices));
  if (!plan.figures.empty()) text += "\n" + FiguresOf(plan).Text("    ");
  for (const PlanBar& bar : plan.bars) text += "\n" + RowsOf(bar).Text("    ");
  for (const PlanTable& table : plan.tables) {
    text += table.title.empty() ? "\n" : "\n" + table.title + "\n\n";
    text += TextTable(table).Text("    ");
  }
  if (const std::string notes = NotesText(plan); !notes.empty())
    text += "\n" + notes;
  if (!plan.factors.empty()) text += "\nconstants\n";
  for (const Factor& factor : plan.factors)
    text += Wrapped("- " + PlanFactorText(factor), kTextColumns, 2) + "\n";
  return text;
}

std::string FormatPlanMarkdown(const Plan& plan) {
  std::string text = "# " + plan.title + "\n\n";
  const auto bullet = [&text](std::string_view name, const std::string& what) {
    if (!what.empty()) text += fmt::format("- {}: {}\n", name, what);
  };
  bullet("inputs", Pairs(plan.inputs));
  bullet("verdict", FitsText(plan));
  bullet("choices", Pairs(plan.choices));
  if (!plan.figures.empty()) text += "\n" + FiguresOf(plan).Markdown();
  for (const PlanBar& bar : plan.bars) text += "\n" + RowsOf(bar).Markdown();
  for (const PlanTable& table : plan.tables) {
    if (!table.title.empty()) text += "\n## " + table.title + "\n";
    text += "\n" + TextTable(table).Markdown();
  }
  text += "\n";
  for (const std::string& note : plan.notes) text += "- " + note + "\n";
  if (HasRange(plan)) text += fmt::format("- {}\n", kIntervals);
  for (const Factor& factor : plan.factors)
    text += "- " + PlanFactorText(factor) + "\n";
  return text;
}

std::string FormatPlanCsv(const Plan& plan) {
  std::string text;
  if (!plan.figures.empty()) text = "key,low,mid,high,unit,origin,source\n";
  for (const PlanFigure& figure : plan.figures)
    text += fmt::format("{},{},{},{},{},{},{}\n", CsvField(figure.key),
                        ExactNumber(figure.range.low),
                        ExactNumber(figure.range.mid),
                        ExactNumber(figure.range.high), CsvField(figure.unit),
                        OriginName(figure.origin), CsvField(figure.source));
  for (const PlanTable& table : plan.tables) {
    if (!text.empty()) text += "\n";
    text += TextTable(table).Csv();
  }
  return text;
}

// What JSON has no number for is null.
Json Number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json FigureJson(const PlanFigure& figure) {
  return {
      {"low", Number(figure.range.low)},     {"mid", Number(figure.range.mid)},
      {"high", Number(figure.range.high)},   {"unit", figure.unit},
      {"origin", OriginName(figure.origin)}, {"source", figure.source}};
}

Json PairsJson(const std::vector<std::pair<std::string, std::string>>& pairs) {
  Json json = Json::object();
  for (const auto& [name, value] : pairs) json[name] = value;
  return json;
}

Json BarJson(const PlanBar& bar) {
  Json parts = Json::object();
  for (const PlanBar::Part& part : bar.parts)
    parts[part.label] = Number(part.value);
  Json json = {{"title", bar.title}, {"unit", bar.unit}, {"parts", parts}};
  if (bar.limit) json["limit"] = Number(*bar.limit);
  return json;
}

Json TableJson(const PlanTable& table) {
  Json rows = Json::array();
  for (const auto& row : table.rows) {
    Json object = Json::object();
    for (size_t i = 0; i < std::min(row.size(), table.columns.size()); ++i)
      object[table.columns[i]] = row[i];
    rows.push_back(std::move(object));
  }
  return {{"title", table.title}, {"rows", rows}};
}

Json CurveJson(const PlanCurve& curve) {
  Json points = Json::array();
  for (const PlanCurve::Point& point : curve.points)
    points.push_back({{"x", Number(point.x)},
                      {"low", Number(point.y.low)},
                      {"mid", Number(point.y.mid)},
                      {"high", Number(point.y.high)}});
  return {{"x", curve.x_label}, {"y", curve.y_label}, {"points", points}};
}

Json SourcesJson(const Plan& plan) {
  Json sources = Json::array();
  for (const Factor& factor : plan.factors)
    sources.push_back({{"name", factor.name},
                       {"value", Number(factor.value)},
                       {"unit", factor.unit},
                       {"source", factor.source},
                       {"date", factor.date}});
  return sources;
}

template <class Items, class ToItem>
Json ListJson(const Items& items, ToItem to_item) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(to_item(item));
  return list;
}

std::string FormatPlanJson(const Plan& plan) {
  Json json = {{"verb", plan.verb},
               {"title", plan.title},
               {"inputs", PairsJson(plan.inputs)}};
  if (!plan.command.empty()) json["command"] = plan.command;
  if (plan.fits) json["fits"] = *plan.fits;
  if (!plan.verdict.empty()) json["verdict"] = plan.verdict;
  for (const PlanFigure& figure : plan.figures)
    json[figure.key] = FigureJson(figure);
  const bool machines = plan.verb == "train" || plan.verb == "serve";
  if (machines || !plan.choices.empty())
    json[machines ? "parallelism" : "choices"] = PairsJson(plan.choices);
  json["bars"] = ListJson(plan.bars, BarJson);
  json["tables"] = ListJson(plan.tables, TableJson);
  if (!plan.curves.empty()) json["curves"] = ListJson(plan.curves, CurveJson);
  json["notes"] = plan.notes;
  json["sources"] = SourcesJson(plan);
  return ReadableText(json);
}

}  // namespace

std::string FigureValue(const PlanFigure& figure) {
  const double mid = figure.range.mid;
  const bool count =
      figure.exact() && mid >= 0 && mid < 1e15 && mid == std::floor(mid);
  const std::string number = count ? FormatCount(static_cast<uint64_t>(mid))
                                   : FormatNumber(mid, kDigits);
  return figure.unit.empty() ? number : number + " " + figure.unit;
}

std::string FigureRange(const PlanFigure& figure) {
  if (figure.exact()) return "exact";
  return fmt::format("{} to {}", FormatNumber(figure.range.low, kDigits),
                     FormatNumber(figure.range.high, kDigits));
}

std::string FormatPlan(const Plan& plan, std::string_view format) {
  if (format == "json") return FormatPlanJson(plan);
  if (format == "csv") return FormatPlanCsv(plan);
  if (format == "md") return FormatPlanMarkdown(plan);
  if (format == "html") return FormatPlanHtml(plan);
  return FormatPlanText(plan);
}

}  // namespace modicum
