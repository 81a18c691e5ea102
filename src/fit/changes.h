// SPDX-License-Identifier: Apache-2.0
// What would change the answer: sentences a reader can act on, each computed
// from the same evidence. Every kind of sentence has a golden test.
#pragma once

#include <string>
#include <vector>

#include "evaluate/metric.h"
#include "fit/choose.h"
#include "record/evidence.h"
#include "record/fit_result.h"

namespace modicum {

// Volume, labelled items, margin and place, in this order; empty where
// nothing was chosen. `contenders` are the evidence's trials; `discordant` is
// the largest share of the test items on which the chosen and a model that it
// was tested against differ.
std::vector<std::string> WhatChangesTheAnswer(
    const FitEvidence& evidence, const FitResult& result, const Metric& metric,
    const std::vector<Contender>& contenders, double discordant);

}  // namespace modicum
