// SPDX-License-Identifier: Apache-2.0
// `modicum plan when --by money`: start times of a job by the price of its
// electricity.
#pragma once

#include "base/result.h"
#include "place/tariff.h"
#include "plan/when_plan.h"

namespace modicum {

// Starts at once and at each full quarter of an hour that ends in time; of
// equal prices the greener first where there is a `series`, else the earlier.
// kInvalidInput: the deadline is shorter than the job, or over a year away.
Result<Plan> PlanPrices(const WhenQuery& query, const Tariff& tariff,
                        const IntensitySeries* series = nullptr);

}  // namespace modicum
