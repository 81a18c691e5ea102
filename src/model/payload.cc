// SPDX-License-Identifier: Apache-2.0
#include "model/payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace modicum {

Status CheckIsText(const Dataset& data, std::string_view family) {
  if (!IsTable(data)) return {};
  return Fail(
      ErrorCode::kUnavailable,
      fmt::format("family {} reads text, and {} is a table", family, data.name),
      "use linear, forest or boosted");
}

Result<std::span<const float>> NumbersOf(const Item& item, size_t columns) {
  const auto* row = std::get_if<Numbers>(&item.payload);
  if (row == nullptr) {
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("item {} is not a row of numbers, and this model "
                            "reads only tables",
                            item.id));
  }
  if (row->values.size() != columns) {
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("item {} has {} numbers, the model needs {}",
                            item.id, row->values.size(), columns));
  }
  return std::span<const float>(row->values);
}

Status CheckTableRows(const Dataset& data, std::span<const uint32_t> rows) {
  for (const uint32_t row : rows) {
    const Item& item = data.items[row];
    MODICUM_TRY(const auto values, NumbersOf(item, data.columns.size()));
    for (size_t c = 0; c < values.size(); ++c) {
      if (!std::isinf(values[c])) continue;
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("row {} of {}: column '{}' is infinite",
                              item.id + 1, data.name, data.columns[c]),
                  "leave the field empty where a value is missing");
    }
  }
  return {};
}

std::vector<uint32_t> ClassesOf(const Dataset& data,
                                std::span<const uint32_t> rows) {
  std::vector<uint32_t> classes;
  classes.reserve(rows.size());
  for (const uint32_t row : rows)
    classes.push_back(static_cast<uint32_t>(data.items[row].label));
  return classes;
}

std::string ColumnText(std::string_view column, float value) {
  if (std::isnan(value)) return fmt::format("{} is missing", column);
  return fmt::format("{} = {}", column, value);
}

void KeepStrongest(std::vector<Reason>& reasons, int count) {
  const auto stronger = [](const Reason& a, const Reason& b) {
    const double x = std::abs(a.effect);
    const double y = std::abs(b.effect);
    return x != y ? x > y : a.feature < b.feature;
  };
  const size_t kept = std::min(reasons.size(), static_cast<size_t>(count));
  for (size_t i = 0; i < kept; ++i) {
    const auto rest = reasons.begin() + static_cast<std::ptrdiff_t>(i);
    std::swap(*rest, *std::min_element(rest, reasons.end(), stronger));
  }
  reasons.resize(kept);
}

}  // namespace modicum
