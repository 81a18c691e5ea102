// SPDX-License-Identifier: Apache-2.0
// Bits of the block formats: bytes of a block over its weights, as ggml lays
// them out (ggml-common.h); NF4 with one 8-bit scale per 64 weights and one
// fp32 per 256 of those (Dettmers et al. 2023, QLoRA).
#include "plan/data_type.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace modicum {
namespace {

constexpr std::array<DataType, 18> kTypes{{
    {"fp32", 32, "IEEE single"},
    {"tf32", 32, "stored as fp32, multiplied with 10 bits of mantissa"},
    {"bf16", 16, "the exponent of fp32, 7 bits of mantissa"},
    {"fp16", 16, "IEEE half"},
    {"fp8", 8, "e4m3 or e5m2"},
    {"int8", 8, "scaled integers, one scale per row or tensor"},
    {"int4", 4, "scaled integers; the scales come on top"},
    {"nf4", 4.127, "QLoRA's, scales quantized again"},
    {"q8_0", 8.5, "blocks of 32, one fp16 scale"},
    {"q6_k", 6.5625, "super-blocks of 256"},
    {"q5_k", 5.5, "super-blocks of 256"},
    {"q5_0", 5.5, "blocks of 32, one fp16 scale"},
    {"q4_k", 4.5, "super-blocks of 256"},
    {"q4_0", 4.5, "blocks of 32, one fp16 scale"},
    {"q3_k", 3.4375, "super-blocks of 256"},
    {"q2_k", 2.625, "super-blocks of 256"},
    {"iq2_xs", 2.3125, "super-blocks of 256, from a codebook"},
    {"iq1_s", 1.5625, "super-blocks of 256, from a codebook"},
}};

}  // namespace

std::span<const DataType> DataTypes() { return kTypes; }

const DataType* FindDataType(std::string_view name) {
  const auto found = std::ranges::find_if(kTypes, [&](const DataType& type) {
    return EqualIgnoringCase(type.name, name);
  });
  return found == kTypes.end() ? nullptr : &*found;
}

}  // namespace modicum
