// SPDX-License-Identifier: Apache-2.0
// Comparable receipts (record/comparable.h) side by side, each against the
// first. Ratios carry a 90 % interval; an error cancels in them only where
// both figures come from the same chip and name the same source.
#pragma once

#include <span>
#include <string>

#include "record/receipt.h"

namespace modicum {

struct NamedReceipt {
  std::string name;  // the file's
  Receipt receipt;
};

// One row per receipt. All must be comparable with the first.
std::string FormatComparison(std::span<const NamedReceipt> receipts);
std::string FormatComparisonMarkdown(std::span<const NamedReceipt> receipts);
// Base units, one column per figure and end of an interval.
std::string FormatComparisonCsv(std::span<const NamedReceipt> receipts);
// An array of objects; estimates as in `modicum fit --format json`.
std::string FormatComparisonJson(std::span<const NamedReceipt> receipts);

}  // namespace modicum
