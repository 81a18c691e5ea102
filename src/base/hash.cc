// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <nettle/sha2.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

namespace modicum {

struct Sha256::State {
  sha256_ctx context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  sha256_init(&state_->context);
}
Sha256::~Sha256() = default;

void Sha256::Add(std::string_view bytes) {
  sha256_update(&state_->context, bytes.size(),
                reinterpret_cast<const uint8_t*>(bytes.data()));
}

void Sha256::AddField(std::string_view bytes) {
  Add(std::to_string(bytes.size()));
  Add(":");
  Add(bytes);
}

Hash Sha256::Finish() {
  Hash hash{};
  sha256_digest(&state_->context, hash.size(), hash.data());
  return hash;
}

Hash Sha256Of(std::string_view bytes) {
  Sha256 hash;
  hash.Add(bytes);
  return hash.Finish();
}

Result<Hash> Sha256OfFile(const std::string& path) {
  struct Closer {
    void operator()(FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<FILE, Closer> file(std::fopen(path.c_str(), "rbe"));
  if (!file) {
    const ErrorCode code = errno == ENOENT   ? ErrorCode::kNotFound
                           : errno == EACCES ? ErrorCode::kPermission
                                             : ErrorCode::kIo;
    return Fail(code, "cannot read " + path + ": " + std::strerror(errno));
  }
  Sha256 hash;
  std::vector<char> block(size_t{1} << 16);
  while (true) {
    const size_t n = std::fread(block.data(), 1, block.size(), file.get());
    if (n == 0) break;
    hash.Add({block.data(), n});
  }
  if (std::ferror(file.get()) != 0)
    return Fail(ErrorCode::kIo, "cannot read " + path);
  return hash.Finish();
}

std::string ToHex(const Hash& hash) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * hash.size());
  for (const uint8_t byte : hash) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

}  // namespace modicum
