// SPDX-License-Identifier: Apache-2.0
// From what a fit saw to what it reports. Pure: the same evidence gives the
// same result to the last bit on the same machine, which is what lets a
// receipt be verified.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "fit/choose.h"
#include "record/evidence.h"
#include "record/fit_result.h"

namespace modicum {

// What the trials on validation data decide: which candidate is chosen and
// which models the test is opened for.
struct Decision {
  Choice choice;         // one judgement per trial
  std::string chosen;    // "" when none is feasible
  std::string baseline;  // a trial or a reference
  std::string baseline_rule;
  std::vector<std::string> finalists;  // to refit: chosen, baseline, best
};
// kInvalidInput when the evidence contradicts itself (a score per item is
// missing, an unknown metric).
Result<Decision> Decide(const FitEvidence& evidence);

// Everything that is reported, but FitResult::artifact.
Result<FitResult> Derive(const FitEvidence& evidence);

}  // namespace modicum
