// SPDX-License-Identifier: Apache-2.0
// The plain sentences at the end of a fit. Pure functions of the result, each
// sentence has a golden test.
#pragma once

#include <string>

#include "fit/choose.h"
#include "fit/task.h"
#include "record/fit_result.h"

namespace modicum {

// "within 1.0 pt of the best", "at least 97.5 %".
std::string RequirementText(const Metric& metric,
                            const Requirement& requirement);

// What to do, in one to four sentences. `majority_answer` is the label the
// constant model gives.
std::string VerdictText(const FitResult& result,
                        const std::string& majority_answer);

}  // namespace modicum
