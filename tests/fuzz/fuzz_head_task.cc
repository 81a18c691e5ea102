// SPDX-License-Identifier: Apache-2.0
// The settings file of `modicum train` on any bytes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "train/head_task.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto task = modicum::ParseHeadTask(
      {reinterpret_cast<const char*>(data), size}, "tagger.toml");
  if (!task) {
    MODICUM_CHECK(!task.error().message.empty());
    return 0;
  }
  MODICUM_CHECK(!task->name.empty() && !task->train.empty() &&
                !task->validation.empty());
  MODICUM_CHECK(task->encoder.width % modicum::kDrawnHeadWidth == 0);
  return 0;
}
