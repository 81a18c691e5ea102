// SPDX-License-Identifier: Apache-2.0
// After how many predictions the search has paid for itself.
#pragma once

#include <optional>
#include <string>

#include "base/estimate.h"
#include "record/fit_result.h"

namespace modicum {

struct PaybackAnswer {
  std::optional<Payback> payback;
  std::string reason;  // set when there is no bounded payback
};

// N* = (make + search) / (before - after), joules per prediction in the
// denominator, with Fieller's 90 % interval. Errors that numerator and
// denominator share (the same power model) are taken into account.
// An unbounded interval gives no payback but the sentence
// "not established, from X predictions, possibly never".
PaybackAnswer PaybackOf(const Estimate<Joules>& make_and_search,
                        const Estimate<Joules>& before_per_1000,
                        const Estimate<Joules>& after_per_1000);

}  // namespace modicum
