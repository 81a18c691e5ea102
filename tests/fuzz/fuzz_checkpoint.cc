// SPDX-License-Identifier: Apache-2.0
// A checkpoint: what is accepted is what would be written.
#include <cstdint>
#include <string>

#include "model/checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modicum;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Hash key = Sha256Of("mine");
  const auto state = ParseCheckpoint(bytes, key);
  if (state && *state) MODICUM_CHECK(EncodeCheckpoint(key, **state) == bytes);
  // Damage is always seen.
  std::string whole = EncodeCheckpoint(key, bytes);
  whole[size % whole.size()] ^= 1;
  const auto damaged = ParseCheckpoint(whole, key);
  MODICUM_CHECK(!damaged || !*damaged);
  return 0;
}
