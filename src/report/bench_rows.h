// SPDX-License-Identifier: Apache-2.0
// What the reports of a benchmark ask about its rows.
#pragma once

#include <string>
#include <vector>

#include "record/bench_result.h"

namespace modicum {

// Rows on one task and data set, in the order of the result, and the
// published ones of the task.
struct BenchGroup {
  std::string task, data;
  std::vector<const BenchRow*> rows;
  std::vector<const PublishedRow*> published;
  bool ok() const;  // something was measured
};
std::vector<BenchGroup> GroupRows(const BenchResult& result);

// "0.0023 (0.0009)": mean and standard deviation between runs.
std::string KilowattHoursText(const BenchRow& row);
// "43 mJ [18, 100] modelled, package".
std::string BenchEnergyText(const BenchRow& row);
// "8.3 kJ [4.4, 16] published".
std::string PublishedText(const Reference& figure);
// "5 / 4": by equal width, by quintile; "-" without.
std::string StarsText(const BenchRow& row);
// "12 mJ [4.9, 30] modelled, 3.1 ms"; "-" without.
std::string OnceText(const std::optional<BenchOnce>& once);
// "12,000", or "12 x 1,000": passes of a run, then inferences of a pass.
std::string InferencesText(const BenchRow& row);

// Which is cheapest and which is best, a sentence or two.
std::string GroupVerdict(const BenchGroup& group);
// How it was measured.
std::string ProtocolText(const BenchProtocol& protocol);
// What rows have to say for themselves: failures, set-aside runs, short
// windows, notes; each with the row's name.
struct RowRemarks {
  std::vector<std::string> failed, contended, short_windows, notes, unrated;
};
RowRemarks RemarksOf(const BenchResult& result);
// Both rules and what they were applied to; "" without stars.
std::string StarRulesText(const BenchResult& result);

}  // namespace modicum
