// SPDX-License-Identifier: Apache-2.0
// A benchmark's result as text, CSV and Markdown. Its JSON is the record's
// own: record/bench_result.h.
#pragma once

#include <string>

#include "record/bench_result.h"

namespace modicum {

// For the terminal: how, where, a table a task and data set, the verdict.
std::string FormatBench(const BenchResult& result);
// One line a row, published ones too; columns in docs/bench.md.
std::string FormatBenchCsv(const BenchResult& result);
std::string FormatBenchMarkdown(const BenchResult& result);

}  // namespace modicum
