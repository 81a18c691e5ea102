// SPDX-License-Identifier: Apache-2.0
// The family embed+linear: a frozen network makes a vector of each text, a
// linear model trained here reads it. The vectors of a network are kept while
// the process lasts: further heads on them cost next to nothing to train.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/engine.h"
#include "model/neural.h"

namespace modicum {

inline constexpr char kEmbedLinear[] = "embed+linear";

// Parameters: model and sha256 (model/network_file.h), and C, the head's
// inverse of the regularisation (default 1).
Engine& EmbedLinearEngine();

// `head` is the content of a kTableLinearFile with one column for each of the
// vector's components; kInvalidInput when it does not fit.
Result<std::unique_ptr<Model>> MakeEmbedLinear(
    std::unique_ptr<NeuralModel> network, std::string_view head,
    const std::vector<std::string>& labels);

}  // namespace modicum
