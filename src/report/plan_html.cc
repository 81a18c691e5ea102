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

// Each part begins where the one before ended: a waterfall.
std::string BarPlot(const PlanBar& bar) {
  Bars bars{bar.title, bar.title + ", part by part", {}};
  double at = 0;
  for (const PlanBar::Part& part : bar.parts) {
    bars.rows.push_back({part.label,
                         FormatNumber(part.value, 3) + " " + bar.unit,
                         FormatNumber(part.value, 3),
                         {{part.value, false, false}},
                         at});
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

// Marks at P50, a line from P10 to P90 through each.
std::string CurvePlot(const PlanCurve& curve) {
  if (curve.points.size() < 2) return {};
  double low_x = curve.points[0].x, high_x = low_x;
  double low_y = curve.points[0].y.low, high_y = curve.points[0].y.high;
  for (const PlanCurve::Point& point : curve.points) {
    low_x = std::min(low_x, point.x);
    high_x = std::max(high_x, point.x);
    low_y = std::min(low_y, point.y.low);
    high_y = std::max(high_y, point.y.high);
  }
  if (!(low_x > 0) || !(low_y > 0) || !std::isfinite(high_y)) return {};
  constexpr double kBottom = 280;
  const Scale x = Scale::Log(low_x, high_x, 9, 97);
  const Scale y = Scale::Log(low_y, high_y, kBottom, 12);
  Svg svg(curve.title, curve.title, kBottom + 44);
  for (const double tick : y.Ticks(5)) {
    svg.Line(9, y(tick), 97, y(tick), "g");
    svg.Text(8, y(tick) + 4, "m e", FormatNumber(tick, 2));
  }
  for (const double tick : x.Ticks(6))
    svg.Text(x(tick), kBottom + 17, "m c", FormatNumber(tick, 2));
  svg.Text(97, kBottom + 38, "m e", curve.x_label + ", log scales");
  for (size_t i = 0; i < curve.points.size(); ++i) {
    const PlanCurve::Point& to = curve.points[i];
    svg.Line(x(to.x), y(to.y.low), x(to.x), y(to.y.high), "g");
    svg.Put(Mark::kPlanned, x(to.x), y(to.y.mid),
            FormatNumber(to.x, 4) + ": " + FormatNumber(to.y.mid, 3));
  }
  return Element("h2", curve.title) +
         Figure(svg.Finish(),
                curve.y_label + ": P50 as marks, P10 to P90 as lines.", "");
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
  for (const PlanCurve& curve : plan.curves) main += CurvePlot(curve);
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
