// SPDX-License-Identifier: Apache-2.0
// An encoder as a GGUF file that llama.cpp loads: architecture `bert` with a
// classification head.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/ggml/encoder_weights.h"
#include "model/gguf/gguf_file.h"

namespace modicum {

// `vocabulary`: every tokenizer.* key, see DescribeVocabulary.
Status SaveEncoder(const EncoderWeights& weights,
                   const GgufMetadata& vocabulary,
                   const std::vector<std::string>& labels,
                   const std::string& path);

}  // namespace modicum
