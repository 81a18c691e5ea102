// SPDX-License-Identifier: Apache-2.0
// A data frame out of R's own file format: uncompressed XDR serialization,
// versions 2 and 3 (R Internals, section 1.8, "Serialization Formats").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace modicum {

struct RColumn {
  std::string name;
  std::vector<double> values;       // NaN = NA; of a factor, codes from 1
  std::vector<std::string> levels;  // of a factor; else empty
};

// The columns of the first object of `bytes`, the content of an .rda file once
// decompressed; all of one length. kInvalidInput for what is truncated, no
// data frame, or of a kind that no table needs (functions, environments).
// Memory is bounded by a small multiple of `bytes`.
Result<std::vector<RColumn>> ReadRFrame(std::string_view bytes);

// As CSV with a header: the factor `label`, renamed "label", first; whole
// numbers as such, NA empty; a dot in a name becomes '-'. kInvalidInput when
// there is no such factor, and for any other factor.
Result<std::string> TableOfFrame(const std::vector<RColumn>& frame,
                                 std::string_view label);

}  // namespace modicum
