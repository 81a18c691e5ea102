// SPDX-License-Identifier: Apache-2.0
// A file whose bytes are read where they are used: networks are as large as the
// memory that a copy would take.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "base/result.h"

namespace modicum {

class MappedFile {
 public:
  // Of at least `bytes` bytes. kIo.
  static Result<MappedFile> Open(const std::string& path, size_t bytes);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_) {}
  MappedFile& operator=(MappedFile&&) = delete;

  // Aligned to a page; not to be written to.
  char* data() const { return data_; }

 private:
  MappedFile(char* data, size_t bytes) : data_(data), bytes_(bytes) {}

  char* data_;
  size_t bytes_;
};

}  // namespace modicum
