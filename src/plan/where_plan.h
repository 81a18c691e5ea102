// SPDX-License-Identifier: Apache-2.0
// `modicum plan where`: regions by what a job's electricity emits, drinks and
// costs there.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "place/place.h"
#include "plan/training.h"
#include "record/plan.h"

namespace modicum {

enum class WhereSort { kCarbon, kWater, kPrice };

struct WhereQuery {
  Spread it_kwh;    // of the job's machines, before PUE
  std::string job;  // "2 MWh", "train llama-2-7b ..."
  Place from;       // where it runs now
  // Provider, PUE and WUE that every region gets.
  PlaceQuery everywhere;
  WhereSort sort = WhereSort::kCarbon;
  std::vector<std::string> among;  // regions; empty: all countries and states
  size_t top = 10;                 // rows; the current region's comes on top
};

// kNotFound: an unknown region, with "did you mean"; kInvalidInput: no region
// has the figure that is sorted by.
Result<Plan> PlanPlaces(const WhereQuery& query);

}  // namespace modicum
