// SPDX-License-Identifier: Apache-2.0
// An encoder with the head beside it, ready to be asked.
#pragma once

#include <memory>

#include "base/result.h"
#include "model/ggml/encoder_base.h"
#include "model/neural.h"

namespace modicum {

// `head` fits `base`. kInvalidInput for a number that is none, or settings
// that are; the engine's version goes into its facts.
Result<std::unique_ptr<HeadedEncoder>> OpenHeadedEncoder(
    const EncoderBase& base, const HeadFile& head,
    const NeuralSettings& settings);

// One around weights that are elsewhere, and may change between calls: they
// outlive it. `path` names it in errors.
Result<std::unique_ptr<HeadedEncoder>> HeadedEncoderOn(
    const EncoderWeights& weights, const GgufMetadata& vocabulary,
    TokenId unknown, const std::vector<std::string>& labels, int threads,
    const std::string& path);

}  // namespace modicum
