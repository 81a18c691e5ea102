// SPDX-License-Identifier: Apache-2.0
// Perplexity and divergence as people and scripts read them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "evaluate/perplexity.h"

namespace modicum {

// "13.5106 ± 0.2207".
std::string FormatMean(const MeanFigure& figure);
// Lines of "label     text".
std::string FormatPerplexity(const PerplexityFigure& figure);
nlohmann::json PerplexityJson(const PerplexityFigure& figure);

}  // namespace modicum
