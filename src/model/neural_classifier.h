// SPDX-License-Identifier: Apache-2.0
// A text classifier that is a GGUF file, run by the neural engine.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/model.h"
#include "model/neural.h"

namespace modicum {

inline constexpr std::string_view kEncoderFamily = "encoder";

// kInvalidInput when the file's labels are not `labels`; kUnavailable when the
// neural engine is not installed.
Result<std::unique_ptr<Model>> LoadEncoder(
    const std::string& directory, const std::vector<std::string>& labels,
    PhaseSink& sink);

// The same from a network that is open.
Result<std::unique_ptr<Model>> MakeNeuralClassifier(
    std::unique_ptr<NeuralModel> network, const NeuralEngine& engine,
    const std::vector<std::string>& labels);

}  // namespace modicum
