// SPDX-License-Identifier: Apache-2.0
// A GGUF file's header: metadata and where each tensor lies. Checked in full
// before anything else sees the file: every count and length against the
// file's own, no allocation that the file does not pay for.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "model/gguf/gguf_types.h"

namespace modicum {

// What no sound model reaches and a hostile one would.
inline constexpr uint64_t kMaxGgufHeader = uint64_t{256} << 20;
inline constexpr uint64_t kMaxGgufString = uint64_t{16} << 20;
inline constexpr uint64_t kMaxGgufEntries = 65536;  // keys, and tensors
inline constexpr uint64_t kMaxGgufAlignment = uint64_t{1} << 20;
inline constexpr size_t kMaxGgufName = 63;  // GGML_MAX_NAME - 1

// The ids of the format, which are GgufValue's alternatives in order.
enum class GgufType : uint32_t {
  kUint8,
  kInt8,
  kUint16,
  kInt16,
  kUint32,
  kInt32,
  kFloat32,
  kBool,
  kString,
  kArray,
  kUint64,
  kInt64,
  kFloat64,
};
std::string_view GgufTypeName(GgufType type);  // "u32", "string"

// Strings are in `texts`; else `bytes` has the elements as the file does.
struct GgufArray {
  GgufType type = GgufType::kString;  // never kArray
  uint64_t size = 0;
  std::string bytes = {};
  std::vector<std::string> texts = {};

  static GgufArray Of(std::vector<std::string> texts);
  static GgufArray Of(const std::vector<int32_t>& numbers);
  static GgufArray Of(const std::vector<uint32_t>& numbers);
  static GgufArray Of(const std::vector<float>& numbers);
  // As a number whatever the type; not for strings. i < size.
  double Number(uint64_t i) const;
  friend bool operator==(const GgufArray&, const GgufArray&) = default;
};

using GgufValue =
    std::variant<uint8_t, int8_t, uint16_t, int16_t, uint32_t, int32_t, float,
                 bool, std::string, GgufArray, uint64_t, int64_t, double>;

// In the file's order.
using GgufMetadata = std::vector<std::pair<std::string, GgufValue>>;

struct GgufTensor {
  std::string name;
  GgmlType type = GgmlType::kF32;
  uint32_t dimensions = 1;
  std::array<uint64_t, 4> shape = {1, 1, 1, 1};  // rows first: ggml's order
  uint64_t offset = 0;                           // from the start of the data
  uint64_t bytes = 0;

  uint64_t elements() const {
    return shape[0] * shape[1] * shape[2] * shape[3];
  }
  friend bool operator==(const GgufTensor&, const GgufTensor&) = default;
};

struct GgufFile {
  std::string name;  // its path, for messages
  uint32_t version = 3;
  uint64_t alignment = 32;
  uint64_t data_offset = 0;  // of the tensors' data in the file
  uint64_t file_bytes = 0;
  GgufMetadata metadata;
  std::vector<GgufTensor> tensors;  // in the file's order

  const GgufValue* Find(std::string_view key) const;
  const GgufTensor* FindTensor(std::string_view tensor) const;
  // nullopt and null when absent or of another kind.
  std::optional<uint64_t> Unsigned(std::string_view key) const;  // any integer
  std::optional<double> Number(std::string_view key) const;
  std::optional<bool> Flag(std::string_view key) const;
  std::optional<std::string_view> Text(std::string_view key) const;
  const GgufArray* Array(std::string_view key) const;

  std::string_view architecture() const;  // "" when there is none
  // "llama.block_count" for "block_count".
  std::string ArchitectureKey(std::string_view key) const;
  uint64_t parameters() const;  // numbers in all tensors
  Bytes bytes() const;          // that they take
};

enum class GgufCheck {
  kStructure,  // any GGUF file: an adapter, an importance matrix
  kModel,      // a model that llama.cpp may be handed: CheckGgufModel too
};

// Reads the header alone. kNotFound, kPermission, kIo; kInvalidInput names the
// field that is wrong.
Result<GgufFile> ReadGguf(const std::string& path,
                          GgufCheck check = GgufCheck::kModel);
// `head` are the file's first bytes, at least the whole header's.
Result<GgufFile> ParseGguf(std::string_view head, uint64_t file_length,
                           const std::string& name,
                           GgufCheck check = GgufCheck::kModel);

}  // namespace modicum
