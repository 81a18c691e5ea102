// SPDX-License-Identifier: Apache-2.0
// SHA-256, by which artifacts, data and trials are named.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace modicum {

using Hash = std::array<uint8_t, 32>;

// Incremental. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void Add(std::string_view bytes);
  // Adds the length too, so that ("ab","c") and ("a","bc") differ.
  void AddField(std::string_view bytes);
  Hash Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Hash Sha256Of(std::string_view bytes);
// Reads the file in blocks. kNotFound, kPermission or kIo.
Result<Hash> Sha256OfFile(const std::string& path);
std::string ToHex(const Hash& hash);  // 64 lower-case digits

}  // namespace modicum
