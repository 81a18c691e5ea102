// SPDX-License-Identifier: Apache-2.0
// Small tables for the tests of models.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/rng.h"
#include "dataset/dataset.h"

namespace modicum {

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

inline Item RowItem(std::vector<float> values, LabelIndex label = kUnlabelled) {
  Item item;
  item.payload = Numbers{std::move(values)};
  item.label = label;
  return item;
}

// `per_class` rows of each of `classes` classes: column c % columns of class c
// is raised by `distance`, all others are uniform in [0, 1). A share `missing`
// of all values is missing.
inline Dataset MakeTable(size_t classes, size_t per_class, size_t columns,
                         double distance = 1, double missing = 0,
                         uint64_t seed = 1) {
  Dataset data;
  data.name = "table";
  Rng rng(seed);
  for (size_t c = 0; c < columns; ++c)
    data.columns.push_back("x" + std::to_string(c));
  for (size_t c = 0; c < classes; ++c) {
    const std::string number = std::to_string(c);
    data.labels.push_back("class-" + std::string(2 - number.size(), '0') +
                          number);
  }
  for (size_t i = 0; i < classes * per_class; ++i) {
    std::vector<float> values;
    const size_t label = i % classes;
    for (size_t c = 0; c < columns; ++c) {
      const double up = c == label % columns ? distance : 0;
      const double value =
          rng.Unit() + up * static_cast<double>(1 + label / columns);
      values.push_back(rng.Unit() < missing ? kNan : static_cast<float>(value));
    }
    data.items.push_back(
        RowItem(std::move(values), static_cast<LabelIndex>(label)));
    data.items.back().id = i;
  }
  return data;
}

}  // namespace modicum
