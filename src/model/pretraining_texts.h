// SPDX-License-Identifier: Apache-2.0
// What an encoder's pretraining is told by a candidate's parameters: how many
// passes, and over which texts beside the training's own.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/engine.h"

namespace modicum {

inline constexpr char kPretrainParam[] = "pretrain";  // passes; 0: none
// A data file of texts, the SHA-256 it had when it was chosen (hex), and the
// column or key of the text where that is not "text".
inline constexpr char kUnlabelledParam[] = "unlabelled";
inline constexpr char kUnlabelledHashParam[] = "unlabelled_sha256";
inline constexpr char kUnlabelledTextParam[] = "unlabelled_text";

// The texts of that file; none where none is named. kInvalidInput when it is
// not what it was.
Result<std::vector<std::string>> LoadUnlabelled(const Params& params);

}  // namespace modicum
