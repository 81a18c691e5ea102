// SPDX-License-Identifier: Apache-2.0
// What the ledger knows of the models that were run on this machine.
#pragma once

#include <vector>

#include "plan/measured_serving.h"
#include "record/ledger.h"

namespace modicum {

// Of the newest thousand that `modicum generate` recorded on a machine with
// the processor of `host`: those that ended well and whose phases were not
// contended. The shape is read from the model's file where it is still there.
Result<std::vector<MeasuredRun>> ReadMeasuredRuns(const Ledger& ledger,
                                                  const HostFacts& host);

}  // namespace modicum
