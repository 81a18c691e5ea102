// SPDX-License-Identifier: Apache-2.0
// What repeats of a command say: means with their intervals, and the ratio of
// two commands that were run in turn.
#pragma once

#include <optional>
#include <span>

#include "base/estimate.h"
#include "base/units.h"

namespace modicum {

// One run of a command.
struct RepeatSample {
  Seconds wall;
  Seconds cpu;
  Estimate<Joules> energy;
};

// Means. own_sd is such that the 90 % interval is Student's over the repeats
// (infinite for one repeat: nothing is known of the spread); errors that all
// repeats share stay what they are and are not averaged away.
struct RepeatMeans {
  size_t repeats = 0;
  Estimate<Seconds> wall;
  Estimate<Seconds> cpu;
  Estimate<Joules> energy;
};
// At least one sample.
RepeatMeans MeansOf(std::span<const RepeatSample> samples);

// First over second, by the geometric mean of the pairs' ratios; its error is
// Student's over their logarithms. In the ratio of energies, what both share
// (the same power model) cancels, but what a workload's instruction mix makes
// does not. Absent where a figure is zero.
struct RepeatRatios {
  std::optional<Estimate<Scalar>> wall;
  std::optional<Estimate<Scalar>> cpu;
  std::optional<Estimate<Scalar>> energy;
};
// Pair i is (first[i], second[i]): equally many, at least two.
RepeatRatios RatiosOf(std::span<const RepeatSample> first,
                      std::span<const RepeatSample> second, bool same_workload);

}  // namespace modicum
