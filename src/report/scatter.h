// SPDX-License-Identifier: Apache-2.0
// Quality against joules: points with intervals, the Pareto front, what was
// required, and vertical lines for models whose quality here is not known.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/estimate.h"
#include "report/svg.h"

namespace modicum {

struct ScatterPoint {
  std::string name;
  Mark mark = Mark::kFails;
  double joules = 0;  // per 1,000; > 0
  Interval joules_interval;
  bool measured = false;  // else modelled
  double quality = 0;
  Interval quality_interval;
  bool front = false;
  int rank = 0;  // labelled first when low; < 0: neither label nor intervals
};

struct ScatterLine {
  std::string name;
  std::string note;  // "120 kJ published, GPU only"
  Mark mark = Mark::kPublished;
  double joules = 0;
};

struct Scatter {
  std::string title, description;
  std::string metric;
  std::vector<ScatterPoint> points;
  std::vector<ScatterLine> lines;
  std::optional<double> required;
  std::string required_text;
};

// "" without points.
std::string DrawScatter(const Scatter& scatter);

}  // namespace modicum
