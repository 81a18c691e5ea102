// SPDX-License-Identifier: Apache-2.0
// The choice: the cheapest candidate that is good enough. Pure functions of
// scores and costs, so that every rule has a test.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/estimate.h"
#include "evaluate/metric.h"
#include "evaluate/quality.h"

namespace modicum {

// What the choice needs of one candidate; a failed one has no scores and is
// never feasible, whatever it would cost.
struct Contender {
  std::string name;
  std::vector<ItemScore> scores;  // validation
  std::optional<Estimate<Joules>> joules_per_1000;
  std::string failure;  // why there are no scores or no cost
};

struct Requirement {
  std::optional<double> within;  // margin to the best
  std::optional<double> floor;   // absolute
};

struct Judgement {
  bool feasible = false;
  // False: feasible, or not, by its point estimate alone: these items cannot
  // tell on which side of the margin it is.
  bool established = false;
  std::string reason;  // "fails: 96.1 < 97.5, the floor"
};

struct Choice {
  std::vector<Judgement> judgements;  // one per contender
  std::optional<size_t> best;         // of the highest quality
  // The cheapest feasible; of those that cost the same, the most accurate.
  std::optional<size_t> chosen;
  double smallest_detectable = 0;  // chosen against best
};

// Costs closer than this factor are the same: repeats are measured to about
// 5 %, so a smaller difference is noise.
inline constexpr double kSameCost = 1.05;

// Ties in quality go to the cheaper one, ties in cost to the more accurate.
Choice Choose(const Metric& metric, const std::vector<Contender>& contenders,
              const Requirement& requirement);

}  // namespace modicum
