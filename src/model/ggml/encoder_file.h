// SPDX-License-Identifier: Apache-2.0
// An encoder as a GGUF file that llama.cpp loads: architecture `bert` with a
// classification head, or without one, and another head beside it.
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

// Without its head.
Status SaveBody(const EncoderWeights& weights, const GgufMetadata& vocabulary,
                const std::string& path);
// Its head alone, for the body that is at `body`; see gguf/head_file.h.
Status SaveHead(const EncoderWeights& weights,
                const std::vector<std::string>& labels, const std::string& body,
                const std::string& path);
// Every byte of a file, whole or not at all.
Status CopyWhole(const std::string& from, const std::string& to);

}  // namespace modicum
