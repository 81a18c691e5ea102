// SPDX-License-Identifier: Apache-2.0
// A small kit for plots: scales with ticks, and SVG whose horizontal
// positions are per cent, so that a plot fills any width while its text
// keeps its size.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace modicum {

// Maps a domain to positions, linearly or by the logarithm. Values outside
// the domain land on its nearest end.
class Scale {
 public:
  // `low` < `high`; a domain of no width is widened. `from` may exceed `to`.
  static Scale Linear(double low, double high, double from, double to);
  // low > 0; widened by a little, and to one decade at least.
  static Scale Log(double low, double high, double from, double to);

  double operator()(double value) const;
  double low() const;
  double high() const;
  // Round values inside the domain, about `count` of them at most.
  std::vector<double> Ticks(int count) const;

 private:
  Scale(bool log, double low, double high, double from, double to);
  std::vector<double> FineTicks(int count) const;
  bool log_;
  double low_, high_, from_, to_;  // of the logarithm where log_ is set
};

// The looks of a mark; html.cc draws them.
enum class Mark { kChosen, kGoodEnough, kFails, kPublished, kPlanned };

// One plot: x in per cent of its width, y in pixels. Classes are html.cc's.
class Svg {
 public:
  // Title and description are read aloud instead of the picture.
  Svg(std::string_view title, std::string_view description, double height);

  void Line(double x1, double y1, double x2, double y2, std::string_view css);
  void Bar(double x, double y, double width, double height,
           std::string_view css);
  // dx: pixels to the right of x.
  void Text(double x, double y, std::string_view css, std::string_view text,
            double dx = 0);
  // One text where there is room, another where there is little.
  void Texts(double x, double y, std::string_view css, std::string_view wide,
             std::string_view narrow, double dx = 0);
  // `tip` is shown on hovering.
  void Put(Mark mark, double x, double y, std::string_view tip);
  std::string Finish() const;

 private:
  std::string head_, body_;
};

// A key's entry: a mark or a line's or bar's class, and what it means.
struct KeyEntry {
  std::string svg;
  std::string meaning;
};
KeyEntry MarkKey(Mark mark, std::string_view meaning);
KeyEntry LineKey(std::string_view css, std::string_view meaning);
KeyEntry BarKey(std::string_view css, std::string_view meaning);
std::string Key(const std::vector<KeyEntry>& entries);

}  // namespace modicum
