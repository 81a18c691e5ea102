// SPDX-License-Identifier: Apache-2.0
// Headers of safetensors files, alone or as the shards of one model, checked
// as severely as GGUF: no byte of the data is read for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace modicum {

inline constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;  // the format's

enum class SafeType { kF32, kF16, kBf16, kOther };

struct SafeTensor {
  std::string name;
  SafeType type = SafeType::kOther;
  std::string type_name;        // "BF16", "I64"
  std::vector<uint64_t> shape;  // rows last, as in Python
  size_t file = 0;              // of the set
  uint64_t offset = 0;          // in the file
  uint64_t bytes = 0;

  uint64_t elements() const;
};
std::string ShapeText(const std::vector<uint64_t>& shape);  // "[4, 8]"

// `head` are at least the 8 bytes of the length and the header they count.
// The tensors by where they lie. kInvalidInput names the field that is wrong.
Result<std::vector<SafeTensor>> ParseSafetensors(std::string_view head,
                                                 uint64_t file_length,
                                                 const std::string& name);

// The weights of a folder: model.safetensors, or the shards that
// model.safetensors.index.json names.
class SafetensorsSet {
 public:
  static Result<SafetensorsSet> Open(const std::string& folder);

  const std::vector<SafeTensor>& tensors() const { return tensors_; }
  const SafeTensor* Find(std::string_view name) const;
  // Bytes of a tensor from `at` on. Thread-safe.
  Status ReadInto(const SafeTensor& tensor, uint64_t at, char* buffer,
                  size_t size) const;
  const std::string& PathOf(const SafeTensor& tensor) const {
    return files_[tensor.file].path();
  }

 private:
  Status Add(const std::string& path);
  Status CheckIndex(const std::string& folder);

  std::vector<RandomAccessFile> files_;
  std::vector<SafeTensor> tensors_;  // by name
};

}  // namespace modicum
