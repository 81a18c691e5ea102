// SPDX-License-Identifier: Apache-2.0
// A look at every weight, on demand: one that is no number makes every answer
// none.
#pragma once

#include <functional>
#include <stop_token>

#include "base/result.h"
#include "model/gguf/gguf_file.h"

namespace modicum {

struct WeightCheckOptions {
  std::function<void(uint64_t bytes_done)> progress = {};
  std::stop_token stop = {};
};

// Reads all tensors once, a few MB at a time: F32, F16, BF16 and F64 numbers
// and the scales of quantized blocks. kInvalidInput names the tensor and the
// index of the first NaN or infinity (of a block: its first); kInterrupted
// when stopped.
Status CheckWeights(const GgufFile& file,
                    const WeightCheckOptions& options = {});

// The numbers that were learnt: those of all tensors, an output matrix that
// is a copy of the token embedding counted once. Reads both where they are of
// one size, up to where they differ.
Result<uint64_t> CountParameters(const GgufFile& file);

}  // namespace modicum
