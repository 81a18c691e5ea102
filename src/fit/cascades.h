// SPDX-License-Identifier: Apache-2.0
// Cascades worth building, computed from what the models said alone: nothing
// is trained to find them.
#pragma once

#include <vector>

#include "fit/search.h"

namespace modicum {

// Of all cascades of two or three models that lie on the front of quality and
// cost, with thresholds at quantiles of the cheaper ones' confidence: the
// cheapest that is good enough, if it beats the cheapest good model by more
// than noise (kSameCost), and the cheapest that is at least as good as the
// best model, if it is cheaper. A stage costs its joules for every item that
// reaches it.
std::vector<Candidate> ProposeCascades(const Metric& metric,
                                       const Requirement& requirement,
                                       const std::vector<Told>& told);

}  // namespace modicum
