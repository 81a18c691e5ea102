// SPDX-License-Identifier: Apache-2.0
// Importance matrices as llama-imatrix writes them: GGUF files with the sums
// of squares of each tensor's inputs, and how many there were.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/neural.h"

namespace modicum {

// kInvalidInput for what is no such file; names the tensor that is wrong.
Result<std::vector<Importance>> ReadImportance(const std::string& path);

}  // namespace modicum
