// SPDX-License-Identifier: Apache-2.0
// The ledger's runs as a page that stands alone: totals, energy by day or
// month, every run, factors.
#pragma once

#include <span>
#include <string>

#include "record/types.h"

namespace modicum {

// `selection` says which runs these are ("project p"); "" for all.
std::string FormatRunsHtml(std::span<const Run> runs,
                           const std::string& selection);

// The same sums as a few lines of text, and as a Markdown list.
std::string FormatTotalsText(std::span<const Run> runs);
std::string FormatTotalsMarkdown(std::span<const Run> runs);

}  // namespace modicum
