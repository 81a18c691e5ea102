// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/gguf_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"

namespace modicum {
namespace {

constexpr uint64_t kContextStep = 256;  // llama-context.cpp, v0.5.0

// `key` of layer `i`: one number for all or one for each.
double OfLayer(const GgufFile& file, std::string_view key, uint64_t i,
               double otherwise) {
  const std::string full = file.ArchitectureKey(key);
  const GgufArray* array = file.Array(full);
  if (array != nullptr && array->type != GgufType::kString && i < array->size)
    return array->Number(i);
  return file.Number(full).value_or(otherwise);
}

// An encoder has no cache: bert, nomic-bert, t5encoder and what says so.
bool IsEncoder(const GgufFile& file) {
  return !file.Flag(file.ArchitectureKey("attention.causal")).value_or(true) ||
         file.architecture() == "bert";
}

// Of a row with a part of a block too, as the last of a row never is.
double RowBytes(GgmlType type, double numbers) {
  return numbers * InfoOf(type).BitsPerWeight() / 8;
}

double BytesPerToken(const GgufFile& file, const GgufContext& context) {
  if (IsEncoder(file)) return 0;
  const double width =
      file.Number(file.ArchitectureKey("embedding_length")).value_or(0);
  const uint64_t layers =
      file.Unsigned(file.ArchitectureKey("block_count")).value_or(0);
  double sum = 0;
  for (uint64_t i = 0; i < layers; ++i) {
    const double heads = OfLayer(file, "attention.head_count", i, 0);
    if (heads <= 0) continue;
    const double kv = OfLayer(file, "attention.head_count_kv", i, heads);
    const double own = std::floor(width / heads);
    const double keys = OfLayer(file, "attention.key_length", i, own);
    const double values = OfLayer(file, "attention.value_length", i, own);
    sum += RowBytes(context.key_type, kv * keys) +
           RowBytes(context.value_type, kv * values);
  }
  return sum;
}

uint64_t TokensOf(const GgufFile& file, const GgufContext& context) {
  if (context.tokens > 0) return context.tokens;
  return file.Unsigned(file.ArchitectureKey("context_length")).value_or(0);
}

// The longest context that fits beside the weights, in llama.cpp's steps.
uint64_t LongestContext(const GgufFile& file, const GgufContext& context,
                        Bytes available) {
  const double per_token = BytesPerToken(file, context);
  const double room = (available - file.bytes()).value();
  if (per_token <= 0 || room <= 0) return 0;
  const double steps = room / (per_token * static_cast<double>(kContextStep));
  return kContextStep * static_cast<uint64_t>(std::min(steps, 1e9));
}

// The most exact file type whose weights leave room for the cache; null when
// none does.
const GgufFileType* FittingType(const GgufFile& file, Bytes room) {
  const double weights = static_cast<double>(file.parameters());
  if (weights <= 0 || room.value() <= 0) return nullptr;
  const double now = 8 * file.bytes().value() / weights;
  const GgufFileType* best = nullptr;
  for (const GgufFileType& type : GgufFileTypes())
    if (type.bits_per_weight < now && !type.of_experts() &&
        type.bits_per_weight * weights / 8 <= room.value())
      best = &type;
  return best;
}

}  // namespace

Bytes KeyValueMemory(const GgufFile& file, const GgufContext& context) {
  constexpr auto kStep = static_cast<double>(kContextStep);
  const double steps =
      std::ceil(static_cast<double>(TokensOf(file, context)) / kStep);
  return Bytes(steps * kStep * BytesPerToken(file, context));
}

Bytes NeededMemory(const GgufFile& file, const GgufContext& context) {
  return file.bytes() + KeyValueMemory(file, context);
}

Status CheckMemory(const GgufFile& file, const GgufContext& context,
                   Bytes available) {
  const Bytes cache = KeyValueMemory(file, context);
  const Bytes needed = file.bytes() + cache;
  if (needed <= available) return {};
  std::string what = fmt::format(
      "{} needs {} ({} weights, {} for a context of {} tokens), {} are free: "
      "{} too little",
      file.name, FormatBytes(needed), FormatBytes(file.bytes()),
      FormatBytes(cache), FormatCount(TokensOf(file, context)),
      FormatBytes(available), FormatBytes(needed - available));
  const uint64_t shorter = LongestContext(file, context, available);
  if (shorter > 0)
    return Fail(
        ErrorCode::kUnavailable, std::move(what),
        fmt::format("a context of {} tokens fits", FormatCount(shorter)));
  const GgufFileType* type = FittingType(file, available - cache);
  if (type != nullptr)
    return Fail(
        ErrorCode::kUnavailable, std::move(what),
        fmt::format("the model quantized to {}, about {:.2f} bits a weight, "
                    "fits with that context",
                    type->name, type->bits_per_weight));
  return Fail(ErrorCode::kUnavailable, std::move(what),
              "no quantization of this model fits with that context: take a "
              "shorter one, a smaller model or more memory");
}

}  // namespace modicum
