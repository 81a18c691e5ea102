// SPDX-License-Identifier: Apache-2.0
// Which columns of a table are read, and what a cell of them says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace modicum {

// Indices into `header` of the columns to read: `wanted`, in that order, or
// where none is wanted all but `label` ("" for unlabelled data). kInvalidInput
// for equal names in the header or among the wanted, a wanted one that is
// missing or is the label, and when nothing is left to read.
Result<std::vector<size_t>> ChooseColumns(
    const std::vector<std::string>& header,
    const std::vector<std::string>& wanted, const std::string& label);

// A cell as a number; NaN (missing) for "", "?", "NA" and "nan" in any case.
// kInvalidInput: "not a number", "infinite", "beyond single precision".
Result<float> ParseCell(std::string_view cell);

// "no column 'lable' (there are: text, label), did you mean 'label'?"
std::string NoColumn(std::string_view kind, std::string_view name,
                     const std::vector<std::string>& columns);

}  // namespace modicum
