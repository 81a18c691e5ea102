// SPDX-License-Identifier: Apache-2.0
// Little-endian encoding of model files, the same on every machine, and a
// reader that never runs past the end.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace modicum {

static_assert(std::endian::native == std::endian::little,
              "model files are copied as they are in memory");

// No model file is read that is longer.
inline constexpr uint64_t kMaxModelFile = uint64_t{4} << 30;

// Nor is a classifier of more classes.
inline constexpr uint32_t kMaxClasses = 1U << 16;

class ByteWriter {
 public:
  template <class T>
  void Put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  template <class T>
  void PutAll(const std::vector<T>& values) {
    if (values.empty()) return;
    bytes_.append(reinterpret_cast<const char*>(values.data()),
                  values.size() * sizeof(T));
  }
  void PutText(std::string_view text) { bytes_ += text; }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Lifetime: the bytes must outlive the reader. After a failed read ok() is
// false and every further read gives zero.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  size_t left() const { return rest_.size(); }

  template <class T>
  T Get() {
    T value{};
    if (Has(sizeof(T))) {
      std::memcpy(&value, rest_.data(), sizeof(T));
      rest_.remove_prefix(sizeof(T));
    }
    return value;
  }
  // Allocates only what the file really holds.
  template <class T>
  std::vector<T> GetAll(uint64_t count) {
    if (count > rest_.size() / sizeof(T)) ok_ = false;
    if (!ok_) return {};
    std::vector<T> values(count);
    const size_t size = count * sizeof(T);
    if (size > 0) std::memcpy(values.data(), rest_.data(), size);
    rest_.remove_prefix(size);
    return values;
  }
  void Skip(uint64_t size) {
    if (Has(size)) rest_.remove_prefix(size);
  }
  // The next `size` bytes, where they are in the file.
  std::string_view GetText(uint64_t size) {
    if (!Has(size)) return {};
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }
  // Up to and without the next NUL, which is consumed.
  std::string_view GetCString() {
    const size_t end = ok_ ? rest_.find('\0') : std::string_view::npos;
    if (end == std::string_view::npos) {
      ok_ = false;
      return {};
    }
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
  }

 private:
  bool Has(uint64_t size) {
    ok_ = ok_ && size <= rest_.size();
    return ok_;
  }
  std::string_view rest_;
  bool ok_ = true;
};

// The whole file; refuses, before reading, one of more than `limit` bytes.
Result<std::string> ReadWholeFile(const std::string& path, uint64_t limit);

}  // namespace modicum
