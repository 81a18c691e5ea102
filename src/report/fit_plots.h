// SPDX-License-Identifier: Apache-2.0
// The plots of a fit's report, each with its caption and the table behind it.
#pragma once

#include <string>

#include "record/receipt.h"

namespace modicum {

// Each is HTML; "" when there is nothing to show.
std::string QualityFigurePlot(const Receipt& receipt);
std::string EnergyFigure(const FitResult& result);
std::string SearchFigure(const FitResult& result);
std::string DeploymentFigure(const FitResult& result);

// What the search cost by part, dearest first: each trial, then what was
// spent beside them. The sum is FitResult::search_joules.
struct SearchShare {
  std::string name;
  Estimate<Joules> joules;
  bool trial = false;
};
std::vector<SearchShare> SearchShares(const FitResult& result);

}  // namespace modicum
