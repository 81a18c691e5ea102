// SPDX-License-Identifier: Apache-2.0
// Whether a sound GGUF file is also a model that llama.cpp can be handed: the
// numbers that its architecture needs, and a vocabulary that is consistent.
// What llama.cpp answers with an abort is refused here with a sentence.
#pragma once

#include "base/result.h"
#include "model/gguf/gguf_file.h"

namespace modicum {

// kInvalidInput names the key or tensor that is wrong or missing.
Status CheckGgufModel(const GgufFile& file);
// The part of it about tokenizer.*; gguf_tokenizer.cc.
Status CheckGgufTokenizer(const GgufFile& file);

}  // namespace modicum
