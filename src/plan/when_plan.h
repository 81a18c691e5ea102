// SPDX-License-Identifier: Apache-2.0
// `modicum plan when`: start hours of a job by the carbon of its electricity.
#pragma once

#include <string>

#include "base/result.h"
#include "place/intensity_series.h"
#include "record/plan.h"

namespace modicum {

struct WhenQuery {
  Joules it_energy;  // of the job's machines, before PUE
  Estimate<Scalar> pue;
  Seconds duration;
  Seconds deadline;  // from `now` to the job's end
  WallTime now;
  std::string series_name;
  size_t top = 10;
};

// kInvalidInput as of StartWindows().
Result<Plan> PlanWindows(const WhenQuery& query, const IntensitySeries& series);

// What plans of either kind begin with: title, energy and now.
Plan BeginWhenPlan(const WhenQuery& query);
// From now until then: "2 h 30 min".
std::string WaitUntil(const WhenQuery& query, WallTime start);

// The relative error of the difference between two windows of one series; its
// P10 to P90 holds 0 where they are not told apart.
double WindowRatioSd(const StartWindow& a, const StartWindow& b,
                     Seconds duration);

}  // namespace modicum
