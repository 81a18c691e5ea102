// SPDX-License-Identifier: Apache-2.0
// Rows of a name, a value and a line below them: bars from zero, or dots with
// intervals on a log scale.
#pragma once

#include <string>
#include <vector>

#include "base/estimate.h"
#include "report/svg.h"

namespace modicum {

struct BarPart {
  double value = 0;
  bool measured = false;  // else hatched
  bool accent = false;
};
struct BarRow {
  std::string name, value, short_value;
  std::vector<BarPart> parts;  // end to end
  double from = 0;             // where the first begins: a waterfall's step
};
struct Bars {
  std::string title, description;
  std::vector<BarRow> rows;
};
// "" without rows. The longest row takes the whole width.
std::string DrawBars(const Bars& bars);

struct DotRow {
  std::string name, value, short_value;
  Mark mark = Mark::kFails;
  double mid = 0;  // > 0
  Interval interval;
  bool measured = false;
};
struct Dots {
  std::string title, description;
  std::string unit, axis;  // "J", "joules per 1,000 predictions"
  std::vector<DotRow> rows;
};
std::string DrawDots(const Dots& dots);

}  // namespace modicum
