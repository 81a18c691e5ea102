// SPDX-License-Identifier: Apache-2.0
// Qualities as text: shares in per cent and points, losses as they are.
#pragma once

#include <string>
#include <string_view>

#include "record/types.h"

namespace modicum {

// Of a loss; every other metric is a share of what could be right.
bool LowerIsBetter(std::string_view metric);

// "98.6 %" (accuracy, F1) or "0.0423" (log-loss).
std::string FormatQuality(std::string_view metric, double value);
// A difference: "0.4 pt" or "0.0040".
std::string FormatQualityLoss(std::string_view metric, double value);
// "98.6 % [98.0, 99.1]".
std::string FormatQualityFigure(const QualityFigure& figure);

}  // namespace modicum
