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

}  // namespace modicum
