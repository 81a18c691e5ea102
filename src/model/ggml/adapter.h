// SPDX-License-Identifier: Apache-2.0
// LoRA adapters (Hu et al. 2021, arXiv:2106.09685): for some matrices W of a
// network two small ones, so that W + scale x alpha / rank x B A is computed.
#pragma once

#include <string>

#include "base/result.h"
#include "model/gguf/gguf_file.h"

namespace modicum {

struct AdapterWish {
  std::string path;
  float scale = 1;
};

// "FILE" or "FILE:SCALE". kInvalidInput for a scale that is no finite number.
Result<AdapterWish> ParseAdapter(const std::string& text);

// Whether the adapter can be put on the network: what llama.cpp would answer
// with an abort, or leave out, is refused here. kInvalidInput names the key or
// the tensor. Both headers are of sound GGUF files.
Status CheckAdapter(const GgufFile& adapter, const GgufFile& network);

}  // namespace modicum
