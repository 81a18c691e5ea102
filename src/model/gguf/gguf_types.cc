// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/gguf_types.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/result.h"

namespace modicum {
namespace {

using enum GgmlType;

// Block sizes and layouts: ggml-common.h of llama.cpp v0.5.0. By id.
constexpr GgmlTypeInfo kTypes[] = {
    {kF32, "f32", 1, 4, ScaleKind::kF32, 1, 0},
    {kF16, "f16", 1, 2, ScaleKind::kF16, 1, 0},
    {kQ4_0, "q4_0", 32, 18, ScaleKind::kF16, 1, 0},
    {kQ4_1, "q4_1", 32, 20, ScaleKind::kF16, 2, 0},
    {kQ5_0, "q5_0", 32, 22, ScaleKind::kF16, 1, 0},
    {kQ5_1, "q5_1", 32, 24, ScaleKind::kF16, 2, 0},
    {kQ8_0, "q8_0", 32, 34, ScaleKind::kF16, 1, 0},
    {kQ8_1, "q8_1", 32, 36, ScaleKind::kF16, 2, 0},
    {kQ2K, "q2_K", 256, 84, ScaleKind::kF16, 2, 80},
    {kQ3K, "q3_K", 256, 110, ScaleKind::kF16, 1, 108},
    {kQ4K, "q4_K", 256, 144, ScaleKind::kF16, 2, 0},
    {kQ5K, "q5_K", 256, 176, ScaleKind::kF16, 2, 0},
    {kQ6K, "q6_K", 256, 210, ScaleKind::kF16, 1, 208},
    {kQ8K, "q8_K", 256, 292, ScaleKind::kF32, 1, 0},
    {kIq2Xxs, "iq2_xxs", 256, 66, ScaleKind::kF16, 1, 0},
    {kIq2Xs, "iq2_xs", 256, 74, ScaleKind::kF16, 1, 0},
    {kIq3Xxs, "iq3_xxs", 256, 98, ScaleKind::kF16, 1, 0},
    {kIq1S, "iq1_s", 256, 50, ScaleKind::kF16, 1, 0},
    {kIq4Nl, "iq4_nl", 32, 18, ScaleKind::kF16, 1, 0},
    {kIq3S, "iq3_s", 256, 110, ScaleKind::kF16, 1, 0},
    {kIq2S, "iq2_s", 256, 82, ScaleKind::kF16, 1, 0},
    {kIq4Xs, "iq4_xs", 256, 136, ScaleKind::kF16, 1, 0},
    {kI8, "i8", 1, 1, ScaleKind::kNone, 0, 0},
    {kI16, "i16", 1, 2, ScaleKind::kNone, 0, 0},
    {kI32, "i32", 1, 4, ScaleKind::kNone, 0, 0},
    {kI64, "i64", 1, 8, ScaleKind::kNone, 0, 0},
    {kF64, "f64", 1, 8, ScaleKind::kF64, 1, 0},
    {kIq1M, "iq1_m", 256, 56, ScaleKind::kF16Split, 1, 48},
    {kBf16, "bf16", 1, 2, ScaleKind::kBf16, 1, 0},
    {kTq1_0, "tq1_0", 256, 54, ScaleKind::kF16, 1, 52},
    {kTq2_0, "tq2_0", 256, 66, ScaleKind::kF16, 1, 64},
    {kMxfp4, "mxfp4", 32, 17, ScaleKind::kE8m0, 1, 0},
    {kNvfp4, "nvfp4", 64, 36, ScaleKind::kUe4m3, 4, 0},
    {kQ1_0, "q1_0", 128, 18, ScaleKind::kF16, 1, 0},
    {kQ2_0, "q2_0", 64, 18, ScaleKind::kF16, 1, 0},
};

// Ids: llama.h of llama.cpp v0.5.0. Bits: llama-quantize's list, where it has
// gigabytes of Llama-3-8B over that model's 8.03 billion weights.
constexpr GgufFileType kFileTypes[] = {
    {40, "q1_0", 1.125},  {24, "iq1_s", 1.56},     {36, "tq1_0", 1.69},
    {31, "iq1_m", 1.75},  {19, "iq2_xxs", 2.06},   {37, "tq2_0", 2.06},
    {41, "q2_0", 2.25},   {20, "iq2_xs", 2.31},    {28, "iq2_s", 2.5},
    {29, "iq2_m", 2.7},   {23, "iq3_xxs", 3.06},   {21, "q2_k_s", 3.17},
    {10, "q2_k", 3.17},   {22, "iq3_xs", 3.3},     {26, "iq3_s", 3.44},
    {11, "q3_k_s", 3.65}, {27, "iq3_m", 3.66},     {12, "q3_k_m", 4.0},
    {30, "iq4_xs", 4.25}, {38, "mxfp4_moe", 4.25}, {13, "q3_k_l", 4.31},
    {25, "iq4_nl", 4.5},  {2, "q4_0", 4.64},       {14, "q4_k_s", 4.67},
    {15, "q4_k_m", 4.9},  {3, "q4_1", 5.11},       {8, "q5_0", 5.57},
    {16, "q5_k_s", 5.57}, {17, "q5_k_m", 5.7},     {9, "q5_1", 6.04},
    {18, "q6_k", 6.57},   {7, "q8_0", 8.51},       {1, "f16", 16},
    {32, "bf16", 16},     {0, "f32", 32},
};

// Read by the release, which has no quantizer for it.
constexpr GgufFileType kReadOnly = {39, "nvfp4", 4.5};

// llama-quantize's short names for the middle of three.
constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
    {"q3_k", "q3_k_m"}, {"q4_k", "q4_k_m"}, {"q5_k", "q5_k_m"}};

}  // namespace

std::span<const GgmlTypeInfo> GgmlTypes() { return kTypes; }

const GgmlTypeInfo* FindGgmlType(uint32_t id) {
  const auto* found =
      std::ranges::find(kTypes, static_cast<GgmlType>(id), &GgmlTypeInfo::type);
  return found == std::end(kTypes) ? nullptr : found;
}

const GgmlTypeInfo* FindGgmlType(std::string_view name) {
  const std::string wanted = LowerAscii(name);
  for (const GgmlTypeInfo& info : kTypes)
    if (LowerAscii(info.name) == wanted) return &info;
  return nullptr;
}

const GgmlTypeInfo& InfoOf(GgmlType type) {
  const GgmlTypeInfo* info = FindGgmlType(static_cast<uint32_t>(type));
  MODICUM_CHECK(info != nullptr);
  return *info;
}

std::optional<uint64_t> BytesOf(GgmlType type, uint64_t elements) {
  const GgmlTypeInfo& info = InfoOf(type);
  if (elements % info.block != 0) return std::nullopt;
  const uint64_t blocks = elements / info.block;
  if (blocks > (uint64_t{1} << 63) / info.bytes) return std::nullopt;
  return blocks * info.bytes;
}

std::span<const GgufFileType> GgufFileTypes() { return kFileTypes; }

const GgufFileType* FindFileType(uint32_t id) {
  if (id == kReadOnly.id) return &kReadOnly;
  const auto* found = std::ranges::find(kFileTypes, id, &GgufFileType::id);
  return found == std::end(kFileTypes) ? nullptr : found;
}

const GgufFileType* FindFileType(std::string_view name) {
  std::string wanted = LowerAscii(name);
  for (const auto& [alias, target] : kAliases)
    if (wanted == alias) wanted = target;
  if (wanted == kReadOnly.name) return &kReadOnly;
  const auto* found =
      std::ranges::find(kFileTypes, wanted, &GgufFileType::name);
  return found == std::end(kFileTypes) ? nullptr : found;
}

}  // namespace modicum
