// SPDX-License-Identifier: Apache-2.0
// What a plan says, in one form for every verb of `modicum plan`: figures with
// their interval and source, bars, tables, notes. The planner fills it, the
// reports show it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/estimate.h"
#include "record/types.h"

namespace modicum {

// P10, P50 and P90 of a planned quantity.
template <class Q>
struct Range {
  Q low{};
  Q mid{};
  Q high{};
};

// One planned number. low = mid = high: exact arithmetic on the inputs.
struct PlanFigure {
  std::string key;    // of the JSON: "energy_mwh"
  std::string label;  // "energy"
  std::string unit;   // "MWh"; "" for a count
  Range<double> range;
  Origin origin = Origin::kModelled;
  std::string source;  // where its model or constant comes from

  bool exact() const { return range.low == range.high; }
};

// A sum drawn as one bar, part by part: a GPU's memory, a run's cost.
struct PlanBar {
  struct Part {
    std::string label;
    double value = 0;
  };
  std::string title;  // "memory per GPU"
  std::string unit;   // "GB"
  std::vector<Part> parts;
  std::optional<double> limit;  // what there is
  std::string limit_label;      // "A100 80 GB"
};

struct PlanTable {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

// A figure over an input: `modicum plan ... --sweep`.
struct PlanCurve {
  struct Point {
    double x = 0;
    Range<double> y;
  };
  std::string title;
  std::string x_label, y_label;  // "count", "time [days]"
  std::vector<Point> points;     // in the order of x
};

struct Plan {
  std::string verb;   // "train", "serve", ...
  std::string title;  // "train llama-2-7b on 1,024 A100 80 GB"
  // The words that make it again: "train", "--model", ...; may be empty.
  std::vector<std::string> command;
  std::vector<std::pair<std::string, std::string>> inputs;  // name, as read
  std::vector<PlanFigure> figures;
  std::optional<bool> fits;
  std::string verdict;  // one sentence: fits, does not and why, ...
  std::vector<std::pair<std::string, std::string>> choices;  // parallelism, ...
  std::vector<PlanBar> bars;
  std::vector<PlanTable> tables;
  std::vector<PlanCurve> curves;
  std::vector<std::string> notes;  // assumptions, warnings
  std::vector<Factor> factors;     // constants used, with source and date
};

}  // namespace modicum
