// SPDX-License-Identifier: Apache-2.0
// The page of a plan: what is asked, the figures with their intervals, each
// sum as bars, the tables, the constants.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "report/bars.h"
#include "report/html.h"
#include "report/plan_report.h"

namespace modicum {
namespace {

std::string FiguresTable(const Plan& plan) {
  std::vector<std::vector<std::string>> rows;
  for (const PlanFigure& figure : plan.figures)
    rows.push_back({EscapeHtml(figure.label), EscapeHtml(FigureValue(figure)),
                    EscapeHtml(FigureRange(figure)),
                    EscapeHtml(OriginName(figure.origin)),
                    EscapeHtml(figure.source)});
  return HtmlTable("Figures",
                   {{"figure"},
                    {"P50", Align::kRight},
                    {"P10 to P90"},
                    {"origin"},
                    {"source"}},
                   rows);
}

// Each figure's interval over its own P50, so that all share one axis.
std::string IntervalPlot(const Plan& plan) {
  Dots dots{"Intervals",
            "P10 to P90 of each figure, over its P50",
            "",
            "times the P50",
            {}};
  for (const PlanFigure& figure : plan.figures) {
    const Range<double>& range = figure.range;
    if (figure.exact() || !(range.low > 0) || !std::isfinite(range.high))
      continue;
    dots.rows.push_back({figure.label,
                         FigureValue(figure) + ", " + FigureRange(figure),
                         FigureValue(figure),
                         Mark::kPlanned,
                         1,
                         {range.low / range.mid, range.high / range.mid},
                         false});
  }
  if (dots.rows.empty()) return {};
  return Figure(DrawDots(dots),
                "How sure each figure is: P10 to P90 over its P50. One run in "
                "five is expected outside.",
                "");
}

std::string BarPlot(const PlanBar& bar) {
  Bars bars{bar.title, bar.title + ", part by part", {}};
  double at = 0;
  for (const PlanBar::Part& part : bar.parts) {
    bars.rows.push_back({part.label,
                         FormatNumber(part.value, 3) + " " + bar.unit,
                         FormatNumber(part.value, 3),
                         {{part.value, false, false}}});
    at += part.value;
  }
  bars.rows.push_back({"total",
                       FormatNumber(at, 3) + " " + bar.unit,
                       FormatNumber(at, 3),
                       {{at, false, true}}});
  if (bar.limit)
    bars.rows.push_back({bar.limit_label,
                         FormatNumber(*bar.limit, 3) + " " + bar.unit,
                         FormatNumber(*bar.limit, 3),
                         {{*bar.limit, true, false}}});
  return Element("h2", bar.title) + Figure(DrawBars(bars), bar.title, "");
}

std::string TableHtml(const PlanTable& table) {
  std::vector<HtmlColumn> columns;
  for (const std::string& column : table.columns) columns.push_back({column});
  std::vector<std::vector<std::string>> rows = table.rows;
  for (auto& row : rows)
    for (std::string& cell : row) cell = EscapeHtml(cell);
  return HtmlTable(table.title, columns, rows);
}

Facts FactsOf(const Plan& plan) {
  Facts facts;
  for (const auto* list : {&plan.inputs, &plan.choices})
    for (const auto& [name, value] : *list)
      facts.emplace_back(EscapeHtml(name), EscapeHtml(value));
  return facts;
}

}  // namespace

std::string FormatPlanHtml(const Plan& plan) {
  std::string main = Element("p class=\"kick\"", "Just enough AI: a plan") +
                     "\n" + Element("h1", plan.title) + "\n";
  std::string verdict = plan.verdict;
  if (plan.fits) verdict = (*plan.fits ? "Fits: " : "Does not fit: ") + verdict;
  if (!verdict.empty()) main += Element("p class=\"lead\"", verdict) + "\n";
  main += FactList(FactsOf(plan));
  if (!plan.figures.empty())
    main += Element("h2", "Figures") + FiguresTable(plan) + IntervalPlot(plan);
  for (const PlanBar& bar : plan.bars) main += BarPlot(bar);
  for (const PlanTable& table : plan.tables)
    main += Element("h2", table.title) + TableHtml(table);
  if (!plan.notes.empty())
    main += Element("h2", "Notes") + "\n" + BulletList(plan.notes);
  main += FactorTable(plan.factors);
  main += Wrap("footer class=\"mu\"",
               "Every figure is modelled before anything ran; hatched is "
               "modelled, solid is what there is.");
  return HtmlPage(plan.title + ": a plan", main);
}

}  // namespace modicum
