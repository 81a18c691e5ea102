// SPDX-License-Identifier: Apache-2.0
// What the reports of a fit ask about its rows.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/format.h"
#include "record/fit_result.h"
#include "record/quality_text.h"
#include "report/html.h"
#include "report/svg.h"

namespace modicum {

// The rows a reader wants first, in their order: the chosen, the baseline,
// the Pareto front, the best of each family, endpoints, the references. All
// rows when they are few.
std::vector<const CandidateRow*> KeyRows(const FitResult& result);

// The figure that rows are compared by: validation, on which the choice was
// made, where a row has it.
const std::optional<QualityFigure>& ComparedQuality(const CandidateRow& row);

Mark MarkOf(const FitResult& result, const CandidateRow& row);

// As FormatEstimate, but says "measured" of counters and sensors; of an
// energy also by which of these.
std::string MeasuredText(const std::string& text, bool by_which);
template <class Q>
std::string EstimateText(const Estimate<Q>& estimate) {
  const std::string text = FormatEstimate(estimate);
  return IsMeasured(estimate.origin)
             ? MeasuredText(text, !std::is_same_v<Q, Seconds>)
             : text;
}

// The same in a cell of a page, on two lines; "-" where there is none.
template <class Q>
std::string EstimateCell(const std::optional<Estimate<Q>>& estimate) {
  return estimate ? TwoLines(EstimateText(*estimate)) : "-";
}

// "43 mJ [18, 100] modelled"; of a reference "120 kJ published, GPU only".
std::string EnergyText(const CandidateRow& row);
// "43 mJ".
std::string ShortEnergyText(const CandidateRow& row);

// "280 Wh [120, 670] modelled".
std::string WattHours(const Estimate<Joules>& energy);

}  // namespace modicum
