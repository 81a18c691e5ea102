// SPDX-License-Identifier: Apache-2.0
// Rows of weights from one floating-point format to another, rounded to the
// nearest, ties to even.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "model/gguf/gguf_types.h"
#include "model/safetensors.h"

namespace modicum {

uint16_t HalfOf(float value);  // infinite from 65,520 on
float OfHalf(uint16_t half);
uint16_t BrainOf(float value);
float OfBrain(uint16_t brain);

// `from` is F32, F16 or BF16; `to` is kF32, kF16 or kBf16. `out` has room for
// `count`. The index of the first result that is not finite: because the
// source was not, or is too large.
std::optional<size_t> ConvertFloats(SafeType from, const char* in, size_t count,
                                    GgmlType to, char* out);

}  // namespace modicum
