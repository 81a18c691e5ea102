// SPDX-License-Identifier: Apache-2.0
// The task file's parser on any bytes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fit/task.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto task = modicum::ParseTask(
      {reinterpret_cast<const char*>(data), size}, "task.toml");
  if (!task && task.error().message.empty()) __builtin_trap();
  return 0;
}
