// SPDX-License-Identifier: Apache-2.0
// tokenizer.json as the tokenizer.* keys of GGUF: byte-level BPE with merges
// (GPT-2, Llama 3), BPE with byte fallback (Llama 2, Mistral, TinyLlama) and
// WordPiece (BERT).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/gguf/gguf_file.h"
#include "model/import/hf_config.h"

namespace modicum {

// `settings` is tokenizer_config.json, null where there is none. kInvalidInput
// names the member that is missing, wrong or not supported; messages begin
// with `name`, which is tokenizer.json's path.
Result<GgufMetadata> ConvertTokenizer(const nlohmann::json& tokenizer,
                                      const nlohmann::json& settings,
                                      const HfConfig& config,
                                      const std::string& name);
Result<GgufMetadata> ConvertTokenizerText(std::string_view tokenizer,
                                          std::string_view settings,
                                          const HfConfig& config,
                                          const std::string& name);

// How a byte-level BPE splits a text into words, by llama.cpp's name for it
// ("gpt-2", "llama-bpe"); kInvalidInput for ways it has no name for here.
Result<std::string> DetectPreTokenizer(const nlohmann::json& pre_tokenizer,
                                       const std::string& name);

}  // namespace modicum
