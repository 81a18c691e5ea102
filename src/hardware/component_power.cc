// SPDX-License-Identifier: Apache-2.0
#include "hardware/component_power.h"

#include <algorithm>
#include <cmath>

#include "base/csv.h"
#include "base/estimate.h"
#include "data/component_power.h"

namespace modicum {
namespace {

struct Row {
  std::string component;
  std::string kind;
  Factor factor;
};

// "memory, Green Algorithms".
std::string FactorName(const std::string& component, const std::string& name) {
  return (component == "ram" ? "memory" : component) + ", " + name;
}

const std::vector<Row>& Rows() {
  static const auto* rows = [] {
    auto* read = new std::vector<Row>();
    const EmbeddedTable table(kComponentPowerCsv);
    for (size_t i = 0; i < table.size(); ++i)
      read->push_back(
          {table.at(i, "component"),
           table.at(i, "kind"),
           {FactorName(table.at(i, "component"), table.at(i, "name")),
            table.number(i, "value").value(), table.at(i, "unit"),
            table.at(i, "source"), table.at(i, "date")}});
    return read;
  }();
  return *rows;
}

}  // namespace

PublishedFigure FindFigure(std::string_view component, std::string_view kind,
                           std::string_view unit) {
  PublishedFigure figure;
  for (const Row& row : Rows()) {
    const Factor& factor = row.factor;
    if (row.component != component || row.kind != kind || factor.unit != unit)
      continue;
    const bool first = figure.sources.empty();
    figure.low = first ? factor.value : std::min(figure.low, factor.value);
    figure.high = first ? factor.value : std::max(figure.high, factor.value);
    figure.sources.push_back(factor);
  }
  if (figure.sources.empty()) return figure;
  figure.mid = std::sqrt(figure.low * figure.high);
  figure.ln_sd = std::log(figure.high / figure.low) / (2 * kZ90);
  return figure;
}

}  // namespace modicum
