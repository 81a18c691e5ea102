// SPDX-License-Identifier: Apache-2.0
// The bench file's parser on any bytes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "bench/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto config = modicum::ParseBenchConfig(
      {reinterpret_cast<const char*>(data), size}, "bench.toml");
  if (!config && config.error().message.empty()) __builtin_trap();
  return 0;
}
