// SPDX-License-Identifier: Apache-2.0
// `modicum plan size`: which parameters and tokens a budget is best spent on.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/result.h"
#include "base/units.h"
#include "plan/scaling.h"
#include "plan/train_plan.h"
#include "record/plan.h"

namespace modicum {

// Compute; US dollars; energy at the meter of the building.
using TrainBudget = std::variant<Flops, Amount, Joules>;

// "1e21flop", "5000usd", "2MWh". kInvalidInput: zero, negative, other units.
Result<TrainBudget> ParseBudget(std::string_view text, std::string_view flag);

struct SizeQuery {
  TrainBudget budget;
  const ScalingLaw* law = &ScalingLaws()[0];
  std::optional<double> lifetime_tokens;  // served over the model's life
  // Chip, place, prices; its model and tokens are not read. nullopt: only
  // what needs no chip, of a budget of FLOP.
  std::optional<TrainQuery> train;
};

// kInvalidInput: a budget of money or energy without a chip, or one that no
// model can be trained on.
Result<Plan> PlanSizing(const SizeQuery& query);

}  // namespace modicum
