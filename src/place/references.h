// SPDX-License-Identifier: Apache-2.0
// Published energies of models that are not run here, by kind of task: where
// a general model would stand.
#pragma once

#include <string_view>
#include <vector>

#include "record/evidence.h"

namespace modicum {

// Figures for a task of `kind` ("text-classification"), the task's own first,
// then those of an assistant that is asked for every item. A kind that no
// study measured ("tabular-classification") has only the latter.
//
// Joules per 1,000 in the scope that its source states; a figure that is known
// in two scopes is two rows. low and high are 90 %, on a log scale: over the
// models of a study for its means, over repeats for a single model, from the
// quartiles where these are published. Quality is not set: it is known for
// other data only, and `source` says it.
std::vector<Reference> ReferencesFor(std::string_view kind);

}  // namespace modicum
