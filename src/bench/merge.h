// SPDX-License-Identifier: Apache-2.0
// Shards of one benchmark put together again.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "record/bench_result.h"

namespace modicum {

// A result and the file it is from.
using NamedBench = std::pair<std::string, BenchResult>;

// The rows of all, in the order of the files; stars are given anew among them.
// A measured row takes the place of a failed one of the same model and
// workload; two that were measured are refused, unless they are the same row.
// kInvalidInput where the protocol or the place differ.
Result<BenchResult> MergeBenches(std::span<const NamedBench> results);

}  // namespace modicum
