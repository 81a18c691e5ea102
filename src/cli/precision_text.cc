// SPDX-License-Identifier: Apache-2.0
#include "cli/precision_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/format.h"

namespace modicum {
namespace {

// The label stands before the first line of several.
std::string Line(std::string_view label, bool first, const std::string& text) {
  return fmt::format("{:<11} {}\n", first ? label : "", text);
}

std::string DivergenceText(const MeanFigure& divergence) {
  return fmt::format("KL {} ± {}", FormatNumber(std::max(0.0, divergence.mid)),
                     FormatNumber(divergence.error));
}

std::string UniformLine(const UniformType& type) {
  return fmt::format("{:<5} {} the joules ({}), {:.2f}x the bytes; {}",
                     type.type, FormatRatio(type.cost),
                     OriginName(type.cost.origin), type.bytes,
                     DivergenceText(type.divergence));
}

std::string GroupLine(const MixedPrecision& precision, size_t group,
                      double all) {
  const TensorGroup& own = precision.groups[group];
  return fmt::format("{:<14} {:<5} {:>4.1f} % of the weights; alone {}{}",
                     own.name, precision.types[group],
                     100 * static_cast<double>(own.weights) / all,
                     DivergenceText(precision.divergences[group]),
                     own.multiplied ? "" : "; looked up, not multiplied");
}

}  // namespace

std::string FormatPrecision(const MixedPrecision& precision,
                            double max_divergence) {
  std::string text;
  bool first = true;
  for (const UniformType& type : precision.uniform) {
    text += Line("all alike", first, UniformLine(type));
    first = false;
  }
  double all = 0;
  for (const TensorGroup& group : precision.groups)
    all += static_cast<double>(group.weights);
  for (size_t i = 0; i < precision.groups.size(); ++i)
    text += Line("chosen", i == 0, GroupLine(precision, i, all));
  text += Line(
      "bound", true,
      fmt::format("{} nats a token (± is one standard error), measured on the "
                  "half of the text that chose, within {} at 90 %; {} tried as "
                  "a whole",
                  DivergenceText(precision.divergence),
                  FormatNumber(max_divergence), precision.rounds));
  if (!precision.changes())
    text += Line("choice", true,
                 "nothing is cheaper within the bound: the file is a copy");
  return text;
}

}  // namespace modicum
