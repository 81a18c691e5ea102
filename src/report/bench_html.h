// SPDX-License-Identifier: Apache-2.0
// A benchmark as a page that stands alone: plots, tables, stars with their
// rules, everything that was set aside. No script, nothing fetched.
#pragma once

#include <string>

#include "record/bench_result.h"

namespace modicum {

std::string FormatBenchHtml(const BenchResult& result);

}  // namespace modicum
