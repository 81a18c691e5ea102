// SPDX-License-Identifier: Apache-2.0
// Whether the figures of two receipts may stand in one table.
#pragma once

#include "base/result.h"
#include "record/receipt.h"

namespace modicum {

// The row of the chosen candidate; null when none was good enough.
const CandidateRow* ChosenRowOf(const FitResult& result);

// Ok when both answer the same question: kind, data (by hash), metric and
// test items; when both chose a model and their energies cover the same
// scope, from the same class of origin (measured or modelled), with idle
// charged by the same policy; and when both name the same baseline. Else
// kInvalidInput: which differs, and why that matters.
Status Comparable(const Receipt& a, const Receipt& b);

}  // namespace modicum
