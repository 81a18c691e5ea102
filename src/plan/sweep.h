// SPDX-License-Identifier: Apache-2.0
// Any figure over any input: --sweep count=64..1024 --sweep tokens=1T,2T.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plan/serve_plan.h"
#include "plan/train_plan.h"
#include "record/plan.h"

namespace modicum {

inline constexpr size_t kMostSweepPoints = 20000;

struct SweepAxis {
  std::string name;
  std::vector<double> values;  // ascending or as listed
};

// "count=64..1024" doubles, "count=64..1024:9" takes nine steps of one ratio,
// "count=64,96,128" those. kInvalidInput: another name, an empty range, more
// than kMostSweepPoints.
Result<SweepAxis> ParseSweep(std::string_view text,
                             std::span<const std::string_view> names);

// What can be swept.
std::span<const std::string_view> TrainSweepNames();
std::span<const std::string_view> ServeSweepNames();

// One row of numbers: the figures of kTrainSweepFigures.
struct TrainPoint {
  bool fits = false;
  int devices = 0;
  double memory = 0;  // bytes per device
  TrainFigures figures;
};
// Every combination, last axis fastest. The chip's priors are looked up once.
std::vector<TrainPoint> SweepPoints(const TrainQuery& query,
                                    std::span<const SweepAxis> axes);

// Tables and a curve of figure `plot` ("" the first) over the first axis.
Result<Plan> SweepTraining(const TrainQuery& query,
                           const std::vector<SweepAxis>& axes,
                           std::string_view plot);
Result<Plan> SweepServing(const ServeQuery& query,
                          const std::vector<SweepAxis>& axes,
                          std::string_view plot);

}  // namespace modicum
