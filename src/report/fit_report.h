// SPDX-License-Identifier: Apache-2.0
// A fit's result as text, JSON, CSV and Markdown.
#pragma once

#include <string>

#include "record/fit_result.h"

namespace modicum {

// For the terminal: machine, task, table, cost, payback, verdict.
std::string FormatFit(const FitResult& result);
// The table alone, with one row per candidate.
std::string FormatFitCsv(const FitResult& result);
std::string FormatFitMarkdown(const FitResult& result);
// Schema in docs/fit.md. Two-space indent, ends with a newline.
std::string FormatFitJson(const FitResult& result);

}  // namespace modicum
