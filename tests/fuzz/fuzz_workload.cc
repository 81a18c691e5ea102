// SPDX-License-Identifier: Apache-2.0
// The workload file's parser on any bytes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "tune/workload.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto workload = modicum::ParseWorkload(
      {reinterpret_cast<const char*>(data), size}, "workload.toml");
  if (!workload) {
    MODICUM_CHECK(!workload.error().message.empty());
    return 0;
  }
  MODICUM_CHECK(workload->prompt >= 1 && workload->generate >= 1);
  return 0;
}
