// SPDX-License-Identifier: Apache-2.0
// Number formats of weights, activations and caches, with the bits they take.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace modicum {

struct DataType {
  std::string_view name;  // "bf16", "q4_k"
  double bits = 0;        // stored per weight, block scales included
  std::string_view note;  // "brain float, 8 exponent bits"
};

std::span<const DataType> DataTypes();

// In any case; nullptr when unknown.
const DataType* FindDataType(std::string_view name);

}  // namespace modicum
