// SPDX-License-Identifier: Apache-2.0
// Tables of the GGUF format: how a tensor's numbers are stored, how a whole
// file was quantized, and the types of a metadata value.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace modicum {

// How a tensor's numbers are stored: ids of ggml, llama.cpp v0.5.0.
enum class GgmlType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ8_1 = 9,
  kQ2K = 10,
  kQ3K = 11,
  kQ4K = 12,
  kQ5K = 13,
  kQ6K = 14,
  kQ8K = 15,
  kIq2Xxs = 16,
  kIq2Xs = 17,
  kIq3Xxs = 18,
  kIq1S = 19,
  kIq4Nl = 20,
  kIq3S = 21,
  kIq2S = 22,
  kIq4Xs = 23,
  kI8 = 24,
  kI16 = 25,
  kI32 = 26,
  kI64 = 27,
  kF64 = 28,
  kIq1M = 29,
  kBf16 = 30,
  kTq1_0 = 34,
  kTq2_0 = 35,
  kMxfp4 = 39,
  kNvfp4 = 40,
  kQ1_0 = 41,
  kQ2_0 = 42,
};

// What of a block can be no number, so that the whole block is none.
enum class ScaleKind {
  kNone,      // whole numbers
  kF16,       // one or two half-precision scales
  kF32,       // one single-precision scale
  kF64,       // the numbers themselves
  kBf16,      // the numbers themselves
  kF16Split,  // iq1_m: a half-precision scale, four bits in each of four words
  kE8m0,      // one exponent; 255 is no number
  kUe4m3,     // four 8-bit scales; 127 and 255 are no numbers
};

struct GgmlTypeInfo {
  GgmlType type;
  std::string_view name;  // as ggml spells it
  uint32_t block;         // numbers in a block; a row has whole blocks
  uint32_t bytes;         // of a block
  ScaleKind scale;
  uint32_t scales;  // how many, one after the other
  uint32_t at;      // byte of the block where they begin

  double BitsPerWeight() const { return 8.0 * bytes / block; }
};

std::span<const GgmlTypeInfo> GgmlTypes();
// Null for an id or a name that this release does not have.
const GgmlTypeInfo* FindGgmlType(uint32_t id);
const GgmlTypeInfo* FindGgmlType(std::string_view name);
const GgmlTypeInfo& InfoOf(GgmlType type);

// What `elements` numbers take; nullopt where they are no whole blocks or the
// sum is beyond 2^63.
std::optional<uint64_t> BytesOf(GgmlType type, uint64_t elements);

// What a file's tensors were quantized to, as llama-quantize spells it.
struct GgufFileType {
  uint32_t id;            // general.file_type
  std::string_view name;  // lower case: "q4_k_m"
  // Of an 8-billion-parameter llama where the type is a mix (llama-quantize's
  // own list), else of its blocks.
  double bits_per_weight;

  // It makes experts small and leaves a network without any at q8_0.
  bool of_experts() const { return name == "mxfp4_moe"; }
};
// That a network can be quantized to, smallest first.
std::span<const GgufFileType> GgufFileTypes();
// Also those that can only be read.
const GgufFileType* FindFileType(uint32_t id);
// Any case; "q4_k" and the like are llama-quantize's aliases.
const GgufFileType* FindFileType(std::string_view name);

}  // namespace modicum
