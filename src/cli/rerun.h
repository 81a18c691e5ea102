// SPDX-License-Identifier: Apache-2.0
// A receipt's fit, run again here.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/command.h"
#include "record/receipt.h"

namespace modicum {

// Fits the task that the receipt holds afresh: with a ledger and a cache of
// its own, so that nothing is resumed or kept. Data of the catalog is obtained
// where it is not there; other data is looked for in `data_folder`. Before
// anything is trained its SHA-256 must be the receipt's: else kInvalidInput.
Result<FitResult> Rerun(const Context& context, const Receipt& receipt,
                        const std::string& data_folder);

}  // namespace modicum
