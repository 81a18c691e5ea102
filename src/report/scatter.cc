// SPDX-License-Identifier: Apache-2.0
#include "report/scatter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/format.h"
#include "base/terminal.h"
#include "record/quality_text.h"
#include "report/bill_report.h"
#include "report/fit_rows.h"

namespace modicum {
namespace {

constexpr double kLeft = 11.5;   // per cent
constexpr double kRight = 97.5;  // per cent
constexpr double kHeight = 330;  // of the plane, in pixels
constexpr double kRow = 16;      // of a label

struct Box {
  double x0, y0, x1, y1;
  bool Meets(const Box& other) const {
    return x0 < other.x1 && other.x0 < x1 && y0 < other.y1 && other.y0 < y1;
  }
};

// Finds room for labels in a plot of one width. Positions are relative, so
// what does not collide here does not in a wider plot either.
class LabelRoom {
 public:
  LabelRoom(double width, double letter, double top)
      : width_(width), letter_(letter), top_(top) {}

  double Pixels(double percent) const { return percent / 100 * width_; }
  void Take(const Box& box) { taken_.push_back(box); }

  struct Place {
    double dx, dy;
    std::string_view css;
  };
  // The first place beside the mark at (x, y) where `text` fits.
  const Place* Find(double x, double y, size_t letters) {
    // Diagonally first: the intervals run across and up.
    static constexpr std::array<Place, 8> kPlaces{{{9, -7, ""},
                                                   {9, 15, ""},
                                                   {-9, -7, "e"},
                                                   {-9, 15, "e"},
                                                   {11, 4, ""},
                                                   {-11, 4, "e"},
                                                   {0, -12, "c"},
                                                   {0, 20, "c"}}};
    const double wide = static_cast<double>(letters) * letter_;
    for (const Place& place : kPlaces) {
      double left = Pixels(x) + place.dx;
      if (place.css == "e") left -= wide;
      if (place.css == "c") left -= wide / 2;
      const Box box{left, y + place.dy - 11, left + wide, y + place.dy + 3};
      if (!Fits(box)) continue;
      Take(box);
      return &place;
    }
    return nullptr;
  }

 private:
  bool Fits(const Box& box) const {
    return box.x0 >= Pixels(kLeft) && box.x1 <= width_ && box.y0 >= top_ &&
           box.y1 <= top_ + kHeight &&
           std::none_of(taken_.begin(), taken_.end(),
                        [&](const Box& other) { return other.Meets(box); });
  }

  double width_, letter_, top_;
  std::vector<Box> taken_;
};

// Better is up, whatever the metric.
double Sign(const Scatter& scatter) {
  return LowerIsBetter(scatter.metric) ? -1 : 1;
}

// The range of quality shown: rows far below the others would press these
// into one line; they are drawn at the lower edge with an arrow.
Interval QualityRange(const Scatter& scatter) {
  const double sign = Sign(scatter);
  std::vector<double> mids;
  for (const ScatterPoint& point : scatter.points)
    mids.push_back(sign * point.quality);
  std::sort(mids.begin(), mids.end());
  const double best = mids.back();
  const double least = LowerIsBetter(scatter.metric) ? 0.002 : 0.02;
  const double reach =
      best - std::max(4 * (best - mids[mids.size() / 2]), least);
  Interval range{best, best};
  const auto include = [&](double a, double b) {
    range.low = std::min({range.low, sign * a, sign * b});
    range.high = std::max({range.high, sign * a, sign * b});
  };
  for (const ScatterPoint& point : scatter.points) {
    if (sign * point.quality < reach) continue;
    include(point.quality, point.quality);
    if (point.rank >= 0)
      include(point.quality_interval.low, point.quality_interval.high);
  }
  if (scatter.required && sign * *scatter.required > reach)
    include(*scatter.required, *scatter.required);
  const double pad = std::max(0.07 * (range.high - range.low), least / 4);
  return {range.low - pad, range.high + pad};
}

// Joules from left to right. Models that were not run here may need a hundred
// thousand times as much; more than a decade between the two groups is left
// out, and the axis broken there.
class JoulesAxis {
 public:
  explicit JoulesAxis(const Scatter& scatter)
      : here_(RangeHere(scatter)),
        there_(RangeThere(scatter)),
        broken_(there_.low > 10 * here_.high),
        near_(broken_ ? Scale::Log(here_.low, here_.high, kLeft, kBreak)
                      : Scale::Log(std::min(here_.low, there_.low),
                                   std::max(here_.high, there_.high), kLeft,
                                   kRight)),
        far_(broken_ ? Scale::Log(there_.low, there_.high, kResume, kRight)
                     : near_) {}

  static constexpr double kBreak = 72;   // per cent
  static constexpr double kResume = 76;  // per cent

  bool broken() const { return broken_; }
  double operator()(double joules) const {
    return broken_ && joules > here_.high * 3 ? far_(joules) : near_(joules);
  }
  std::vector<double> Ticks() const {
    std::vector<double> ticks = near_.Ticks(broken_ ? 4 : 5);
    if (broken_)
      for (const double tick : far_.Ticks(2)) ticks.push_back(tick);
    return ticks;
  }

 private:
  static void Include(Interval& range, double joules) {
    if (!(joules > 0) || !std::isfinite(joules)) return;
    range.low = std::min(range.low, joules);
    range.high = std::max(range.high, joules);
  }
  static Interval RangeHere(const Scatter& scatter) {
    Interval range{scatter.points[0].joules, scatter.points[0].joules};
    for (const ScatterPoint& point : scatter.points) {
      Include(range, point.joules);
      if (point.rank < 0) continue;
      Include(range, point.joules_interval.low);
      Include(range, point.joules_interval.high);
    }
    return range;
  }
  static Interval RangeThere(const Scatter& scatter) {
    const double first = scatter.lines.empty() ? scatter.points[0].joules
                                               : scatter.lines[0].joules;
    Interval range{first, first};
    for (const ScatterLine& line : scatter.lines) Include(range, line.joules);
    return range;
  }

  Interval here_, there_;
  bool broken_;
  Scale near_, far_;
};

class Drawing {
 public:
  explicit Drawing(const Scatter& scatter)
      : scatter_(scatter),
        top_(34 + kRow * static_cast<double>(scatter.lines.size())),
        sign_(Sign(scatter)),
        x_(scatter),
        y_(Scale::Linear(QualityRange(scatter).low, QualityRange(scatter).high,
                         top_ + kHeight, top_)),
        svg_(scatter.title, scatter.description, top_ + kHeight + 50) {}

  std::string Draw() {
    Axes();
    Lines();
    Front();
    for (const ScatterPoint& point : scatter_.points) Whiskers(point);
    // The chosen one on top.
    for (const bool chosen : {false, true})
      for (const ScatterPoint& point : scatter_.points)
        if ((point.mark == Mark::kChosen) == chosen) Point(point);
    Labels();
    return svg_.Finish();
  }

 private:
  double Y(double quality) const { return y_(sign_ * quality); }
  bool Below(const ScatterPoint& point) const {
    return sign_ * point.quality < y_.low();
  }
  double YOf(const ScatterPoint& point) const {
    return Below(point) ? top_ + kHeight - 8 : Y(point.quality);
  }

  void Axes() {
    const double bottom = top_ + kHeight;
    svg_.Text(0, 14, "m",
              fmt::format("{} [95 %], better is up", scatter_.metric));
    for (const double tick : y_.Ticks(6)) {
      Across(y_(tick), "g");
      svg_.Text(kLeft, y_(tick) + 4, "m e",
                FormatQuality(scatter_.metric, sign_ * tick), -6);
    }
    for (const double tick : x_.Ticks()) {
      svg_.Line(x_(tick), top_, x_(tick), bottom, "g");
      svg_.Text(x_(tick), bottom + 19, "m c", FormatWithUnit(tick, "J", 1));
    }
    Across(bottom, "ax");
    if (x_.broken())
      svg_.Text((JoulesAxis::kBreak + JoulesAxis::kResume) / 2, bottom + 5,
                "m c", "//");
    const std::string scale =
        x_.broken() ? "log scale, broken at //" : "log scale";
    svg_.Texts(
        kRight, bottom + 42, "m e",
        "joules per 1,000 predictions [90 %], " + scale + ", cheaper is left",
        "joules per 1,000 [90 %], " + scale);
  }

  // A line over the whole plane, but for the gap of a broken axis.
  void Across(double y, std::string_view css) {
    if (!x_.broken()) return svg_.Line(kLeft, y, kRight, y, css);
    svg_.Line(kLeft, y, JoulesAxis::kBreak, y, css);
    svg_.Line(JoulesAxis::kResume, y, kRight, y, css);
  }

  // The dearest on top: no line then crosses another's label from the left.
  void Lines() {
    std::vector<const ScatterLine*> lines;
    for (const ScatterLine& line : scatter_.lines) lines.push_back(&line);
    std::sort(lines.begin(), lines.end(),
              [](const ScatterLine* a, const ScatterLine* b) {
                return a->joules > b->joules;
              });
    double y = 34;
    for (const ScatterLine* line : lines) {
      const double x = x_(line->joules);
      svg_.Line(x, y + 4, x, top_ + kHeight, "rf");
      svg_.Put(line->mark, x, y, line->name + ", " + line->note);
      const bool left = x > 45;
      svg_.Texts(x, y + 4, left ? "m e halo" : "m halo",
                 PlainText(line->name + ", " + line->note, left ? 66 : 50),
                 PlainText(line->name, 30), left ? -11 : 11);
      y += kRow;
    }
  }

  void Front() {
    std::vector<const ScatterPoint*> front;
    for (const ScatterPoint& point : scatter_.points)
      if (point.front) front.push_back(&point);
    std::sort(front.begin(), front.end(),
              [](const ScatterPoint* a, const ScatterPoint* b) {
                return a->joules < b->joules;
              });
    for (size_t i = 1; i < front.size(); ++i) {
      const double x0 = x_(front[i - 1]->joules);
      const double x1 = x_(front[i]->joules);
      const double y0 = YOf(*front[i - 1]);
      svg_.Line(x0, y0, x1, y0, "fr");
      svg_.Line(x1, y0, x1, YOf(*front[i]), "fr");
    }
    if (scatter_.required) Across(Y(*scatter_.required), "rq");
  }

  void Whiskers(const ScatterPoint& point) {
    if (point.rank < 0) return;
    const std::string css = point.mark == Mark::kChosen ? "wa" : "wh";
    const double x = x_(point.joules);
    const double y = YOf(point);
    svg_.Line(x_(point.joules_interval.low), y, x_(point.joules_interval.high),
              y, point.measured ? css : css + " ds");
    if (Below(point)) return;
    svg_.Line(x, Y(point.quality_interval.low), x,
              Y(point.quality_interval.high), css);
  }

  void Point(const ScatterPoint& point) {
    svg_.Put(point.mark, x_(point.joules), YOf(point),
             fmt::format("{}: {}, {} per 1,000", point.name,
                         FormatQuality(scatter_.metric, point.quality),
                         FormatWithUnit(point.joules, "J")));
  }

  std::string LabelOf(const ScatterPoint& point, size_t columns) const {
    std::string text = PlainText(point.name, columns);
    if (Below(point))
      text += " ↓ " + FormatQuality(scatter_.metric, point.quality);
    return text;
  }

  void Reserve(LabelRoom& room) const {
    for (const ScatterPoint& point : scatter_.points) {
      const double x = room.Pixels(x_(point.joules));
      const double y = YOf(point);
      room.Take({x - 7, y - 7, x + 7, y + 7});
    }
    if (scatter_.required) {
      const double y = Y(*scatter_.required);
      room.Take({0, y - 2, 10'000, y + 2});
    }
  }

  // Labels for a plot at least as wide as `room`; `css` shows them only there.
  void PlaceLabels(LabelRoom room, std::string_view css, size_t columns) {
    Reserve(room);
    if (scatter_.required) PlaceRequirement(room, css);
    std::vector<const ScatterPoint*> points;
    for (const ScatterPoint& point : scatter_.points)
      if (point.rank >= 0) points.push_back(&point);
    std::stable_sort(points.begin(), points.end(),
                     [](const ScatterPoint* a, const ScatterPoint* b) {
                       return a->rank < b->rank;
                     });
    for (const ScatterPoint* point : points) {
      const double x = x_(point->joules);
      const double y = YOf(*point);
      const std::string text = LabelOf(*point, columns);
      const auto* place = room.Find(x, y, DisplayWidth(text));
      if (place == nullptr) continue;
      svg_.Text(
          x, y + place->dy,
          fmt::format("{} halo {} {}", point->mark == Mark::kChosen ? "a" : "",
                      place->css, css),
          text, place->dx);
    }
  }

  void PlaceRequirement(LabelRoom& room, std::string_view css) {
    const double y = Y(*scatter_.required);
    const double wide =
        static_cast<double>(DisplayWidth(scatter_.required_text)) * 6.3;
    const double end = x_.broken() ? JoulesAxis::kBreak : kRight;
    const double right = room.Pixels(end);
    for (const double dy : {-6.0, 15.0}) {
      if (y + dy > top_ + kHeight || y + dy - 11 < top_) continue;
      room.Take({right - wide, y + dy - 11, right, y + dy + 3});
      svg_.Text(end, y + dy, fmt::format("e halo {}", css),
                scatter_.required_text);
      return;
    }
  }

  void Labels() {
    PlaceLabels(LabelRoom(600, 6.6, top_), "w", 34);
    PlaceLabels(LabelRoom(328, 6.1, top_), "n", 24);
  }

  const Scatter& scatter_;
  double top_;
  double sign_;
  JoulesAxis x_;
  Scale y_;
  Svg svg_;
};

}  // namespace

std::string DrawScatter(const Scatter& scatter) {
  return scatter.points.empty() ? "" : Drawing(scatter).Draw();
}

}  // namespace modicum
