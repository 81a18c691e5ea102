// SPDX-License-Identifier: Apache-2.0
#include "report/bars.h"

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "base/terminal.h"
#include "report/bill_report.h"

namespace modicum {
namespace {

constexpr double kRowHeight = 37;
constexpr size_t kNameColumns = 64;
constexpr size_t kNarrowColumns = 34;
constexpr size_t kLineColumns = 88;  // both, at 600 pixels

// The line of text above a row's bar or dot.
void Head(Svg& svg, double y, const std::string& css, const std::string& name,
          const std::string& value, const std::string& short_value) {
  svg.Texts(0, y, css, PlainText(name, kNameColumns),
            PlainText(name, kNarrowColumns));
  const size_t left = kLineColumns - std::min(DisplayWidth(name), kNameColumns);
  svg.Texts(100, y, css.empty() ? "e" : "e " + css, PlainText(value, left),
            short_value);
}

double Sum(const BarRow& row) {
  double sum = 0;
  for (const BarPart& part : row.parts) sum += std::max(part.value, 0.0);
  return sum;
}

std::string_view BarClass(const BarPart& part) {
  if (part.measured) return part.accent ? "bsa" : "bs";
  return part.accent ? "bha" : "bh";
}

Interval RangeOf(const Dots& dots) {
  Interval range{dots.rows[0].mid, dots.rows[0].mid};
  const auto include = [&](double value) {
    if (!(value > 0) || !std::isfinite(value)) return;
    range.low = std::min(range.low, value);
    range.high = std::max(range.high, value);
  };
  for (const DotRow& row : dots.rows) {
    include(row.mid);
    include(row.interval.low);
    include(row.interval.high);
  }
  return range;
}

}  // namespace

std::string DrawBars(const Bars& bars) {
  if (bars.rows.empty()) return {};
  double longest = 0;
  for (const BarRow& row : bars.rows) longest = std::max(longest, Sum(row));
  Svg svg(bars.title, bars.description,
          kRowHeight * static_cast<double>(bars.rows.size()) + 4);
  double y = 14;
  for (const BarRow& row : bars.rows) {
    const bool accent = row.parts.size() == 1 && row.parts[0].accent;
    Head(svg, y, accent ? "a" : "", row.name, row.value, row.short_value);
    double x = longest > 0 ? 100 * row.from / longest : 0;
    for (const BarPart& part : row.parts) {
      if (!(part.value > 0) || longest <= 0) continue;
      // A hair is left of what is too small to see.
      const double width =
          std::min(std::max(100 * part.value / longest, 0.25), 100 - x);
      svg.Bar(x, y + 6, width, 11, BarClass(part));
      x += width;
    }
    y += kRowHeight;
  }
  return svg.Finish();
}

std::string DrawDots(const Dots& dots) {
  if (dots.rows.empty()) return {};
  const Interval range = RangeOf(dots);
  const Scale scale = Scale::Log(range.low, range.high, 2.5, 97.5);
  const double bottom = kRowHeight * static_cast<double>(dots.rows.size()) + 4;
  Svg svg(dots.title, dots.description, bottom + 44);
  for (const double tick : scale.Ticks(5)) {
    svg.Line(scale(tick), 0, scale(tick), bottom, "g");
    svg.Text(scale(tick), bottom + 17, "m c",
             FormatWithUnit(tick, dots.unit, 1));
  }
  svg.Text(97.5, bottom + 38, "m e", dots.axis + ", log scale");
  double y = 14;
  for (const DotRow& row : dots.rows) {
    const bool chosen = row.mark == Mark::kChosen;
    Head(svg, y, chosen ? "a halo" : "halo", row.name, row.value,
         row.short_value);
    const double line = y + 13;
    const std::string css = chosen ? "wa" : "wh";
    if (row.interval.high > row.interval.low)
      svg.Line(scale(row.interval.low), line, scale(row.interval.high), line,
               row.measured ? css : css + " ds");
    svg.Put(row.mark, scale(row.mid), line, row.name + ": " + row.value);
    y += kRowHeight;
  }
  return svg.Finish();
}

}  // namespace modicum
