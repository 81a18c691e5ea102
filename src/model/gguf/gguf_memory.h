// SPDX-License-Identifier: Apache-2.0
// What a model needs before it is loaded, so that one larger than the memory
// is refused with what would fit.
#pragma once

#include "base/result.h"
#include "base/units.h"
#include "model/gguf/gguf_file.h"

namespace modicum {

struct GgufContext {
  uint64_t tokens = 0;  // 0: as many as the model was trained for
  GgmlType key_type = GgmlType::kF16;
  GgmlType value_type = GgmlType::kF16;
};

// The keys and values of `context` tokens, over all layers l:
//   tokens * sum of row(key type,   kv_heads(l) * key_length)
//                 + row(value type, kv_heads(l) * value_length)
// with tokens rounded up to llama.cpp's steps of 256 and row(t, n) the bytes
// of n numbers of type t. Exact for multi-head and grouped-query attention; an
// upper bound where layers see a window or share keys; 0 for encoders. The
// state of recurrent layers is not in it.
Bytes KeyValueMemory(const GgufFile& file, const GgufContext& context = {});

// Weights and KeyValueMemory. The buffers of the computation, some tens to
// hundreds of MB by batch and vocabulary, come on top.
Bytes NeededMemory(const GgufFile& file, const GgufContext& context = {});

// kUnavailable where more than `available` is needed: how much is missing, and
// a shorter context or a smaller quantization that would fit.
Status CheckMemory(const GgufFile& file, const GgufContext& context,
                   Bytes available);

}  // namespace modicum
