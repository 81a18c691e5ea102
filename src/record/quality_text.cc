// SPDX-License-Identifier: Apache-2.0
#include "record/quality_text.h"

#include <fmt/format.h>

namespace modicum {
namespace {

std::string Bare(std::string_view metric, double value) {
  return LowerIsBetter(metric) ? fmt::format("{:.4f}", value)
                               : fmt::format("{:.1f}", 100 * value);
}

}  // namespace

bool LowerIsBetter(std::string_view metric) {
  return metric == "log-loss" || metric == "bits-per-byte" || metric == "bits";
}

std::string FormatQuality(std::string_view metric, double value) {
  return Bare(metric, value) + (LowerIsBetter(metric) ? "" : " %");
}

std::string FormatQualityLoss(std::string_view metric, double value) {
  return Bare(metric, value) + (LowerIsBetter(metric) ? "" : " pt");
}

std::string FormatQualityFigure(const QualityFigure& figure) {
  return fmt::format("{} [{}, {}]", FormatQuality(figure.metric, figure.mid),
                     Bare(figure.metric, figure.low),
                     Bare(figure.metric, figure.high));
}

}  // namespace modicum
