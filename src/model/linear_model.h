// SPDX-License-Identifier: Apache-2.0
// Prediction with a linear text model. Part of the program: only training
// needs the liblinear module.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/linear_weights.h"
#include "model/model.h"

namespace modicum {

// From the file's bytes; kInvalidInput when they do not fit the labels.
Result<std::unique_ptr<Model>> MakeLinearModel(
    std::string_view bytes, const std::vector<std::string>& labels);

// Reads `directory`/linear.bin. Reports kLoad.
Result<std::unique_ptr<Model>> LoadLinearModel(
    const std::string& directory, const std::vector<std::string>& labels,
    PhaseSink& sink);

}  // namespace modicum
