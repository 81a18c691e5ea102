// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/gguf_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/file.h"
#include "base/format.h"
#include "model/gguf/gguf_names.h"

namespace modicum {
namespace {

constexpr uint64_t kChunk = uint64_t{4} << 20;

// Exponents with every bit set are infinities and NaNs.
constexpr bool Finite(uint16_t bits, uint16_t exponent) {
  return (bits & exponent) != exponent;
}
constexpr uint16_t kHalf = 0x7C00;
constexpr uint16_t kBrain = 0x7F80;
constexpr uint32_t kSingle = 0x7F800000;
constexpr uint64_t kDouble = 0x7FF0000000000000;

// Plain numbers, by their bits: whether one of them is not finite. Without a
// way out of the loop, so that it runs as fast as the memory.
template <class Bits>
bool AnyBad(const char* bytes, size_t count, Bits exponent) {
  unsigned bad = 0;
  for (size_t i = 0; i < count; ++i) {
    Bits bits;
    std::memcpy(&bits, bytes + i * sizeof(Bits), sizeof(Bits));
    bad |= static_cast<unsigned>((bits & exponent) == exponent);
  }
  return bad != 0;
}

template <class Bits>
Bits BitsAt(const char* bytes) {
  Bits bits;
  std::memcpy(&bits, bytes, sizeof(Bits));
  return bits;
}

bool BadHalves(const char* at, uint32_t count) {
  bool bad = false;
  for (uint32_t i = 0; i < count; ++i)
    bad |= !Finite(BitsAt<uint16_t>(at + 2 * i), kHalf);
  return bad;
}

// The top four bits of each of four words.
bool BadSplitHalf(const char* at) {
  uint32_t bits = 0;
  for (uint32_t i = 0; i < 4; ++i)
    bits |= static_cast<uint32_t>(BitsAt<uint16_t>(at + 2 * i) >> 12U)
            << (4 * i);
  return !Finite(static_cast<uint16_t>(bits), kHalf);
}

bool BadUe4m3(const char* at, uint32_t count) {
  return std::any_of(at, at + count, [](char c) {
    return (static_cast<unsigned char>(c) & 0x7FU) == 0x7F;
  });
}

bool BadBlock(const GgmlTypeInfo& info, const char* block) {
  const char* at = block + info.at;
  switch (info.scale) {
    case ScaleKind::kNone:
      return false;
    case ScaleKind::kF16:
      return BadHalves(at, info.scales);
    case ScaleKind::kF16Split:
      return BadSplitHalf(at);
    case ScaleKind::kBf16:
      return !Finite(BitsAt<uint16_t>(at), kBrain);
    case ScaleKind::kF32:
      return AnyBad<uint32_t>(at, 1, kSingle);
    case ScaleKind::kF64:
      return AnyBad<uint64_t>(at, 1, kDouble);
    case ScaleKind::kE8m0:
      return static_cast<unsigned char>(*at) == 0xFF;
    case ScaleKind::kUe4m3:
      return BadUe4m3(at, info.scales);
  }
  return false;
}

// Whole blocks; a fast answer for most of them: there is nothing.
bool AllGood(const GgmlTypeInfo& info, std::string_view blocks) {
  if (info.type == GgmlType::kF32)
    return !AnyBad<uint32_t>(blocks.data(), blocks.size() / 4, kSingle);
  if (info.type == GgmlType::kF16)
    return !AnyBad<uint16_t>(blocks.data(), blocks.size() / 2, kHalf);
  if (info.type == GgmlType::kBf16)
    return !AnyBad<uint16_t>(blocks.data(), blocks.size() / 2, kBrain);
  bool bad = false;
  for (size_t at = 0; at < blocks.size(); at += info.bytes)
    bad |= BadBlock(info, blocks.data() + at);
  return !bad;
}

uint64_t FirstBad(const GgmlTypeInfo& info, std::string_view blocks) {
  uint64_t block = 0;
  while (!BadBlock(info, blocks.data() + block * info.bytes)) ++block;
  return block;
}

struct Scan {
  const GgufFile& file;
  const RandomAccessFile& bytes;
  const WeightCheckOptions& options;
  std::vector<char> buffer;
  uint64_t done = 0;
};

Status CheckTensor(Scan& scan, const GgufTensor& tensor) {
  const GgmlTypeInfo& info = InfoOf(tensor.type);
  const uint64_t chunk = kChunk / info.bytes * info.bytes;
  const uint64_t begin = scan.file.data_offset + tensor.offset;
  for (uint64_t at = 0; at < tensor.bytes; at += chunk) {
    if (scan.options.stop.stop_requested())
      return Fail(ErrorCode::kInterrupted, "check of the weights interrupted");
    const uint64_t size = std::min(chunk, tensor.bytes - at);
    MODICUM_RETURN_IF_ERROR(
        scan.bytes.ReadInto(begin + at, scan.buffer.data(), size));
    const std::string_view blocks(scan.buffer.data(), size);
    if (!AllGood(info, blocks)) {
      const uint64_t block = at / info.bytes + FirstBad(info, blocks);
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("{}: tensor {} has a NaN or an infinity at index "
                              "{}",
                              scan.file.name, Shown(tensor.name),
                              FormatCount(block * info.block)),
                  "the training diverged or the file was altered: get another "
                  "version of the model");
    }
    scan.done += size;
    if (scan.options.progress) scan.options.progress(scan.done);
  }
  return {};
}

}  // namespace

Status CheckWeights(const GgufFile& file, const WeightCheckOptions& options) {
  MODICUM_TRY(const RandomAccessFile bytes, RandomAccessFile::Open(file.name));
  Scan scan{file, bytes, options, std::vector<char>(kChunk), 0};
  for (const GgufTensor& tensor : file.tensors) {
    if (InfoOf(tensor.type).scale == ScaleKind::kNone) continue;
    MODICUM_RETURN_IF_ERROR(CheckTensor(scan, tensor));
  }
  return {};
}

Result<uint64_t> CountParameters(const GgufFile& file) {
  const GgufTensor* embedding = file.FindTensor("token_embd.weight");
  const GgufTensor* output = file.FindTensor("output.weight");
  if (embedding == nullptr || output == nullptr ||
      embedding->type != output->type || embedding->shape != output->shape)
    return file.parameters();
  MODICUM_TRY(const RandomAccessFile bytes, RandomAccessFile::Open(file.name));
  for (uint64_t at = 0; at < output->bytes; at += kChunk) {
    const uint64_t size = std::min(kChunk, output->bytes - at);
    MODICUM_TRY(const std::string one,
                bytes.Read(file.data_offset + embedding->offset + at, size));
    MODICUM_TRY(const std::string other,
                bytes.Read(file.data_offset + output->offset + at, size));
    if (one != other) return file.parameters();
  }
  return file.parameters() - output->elements();
}

}  // namespace modicum
