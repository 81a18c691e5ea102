// SPDX-License-Identifier: Apache-2.0
// An importance matrix: what is accepted are finite mean squares.
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <string>

#include "model/gguf/importance_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modicum;
  const int fd = memfd_create("importance", MFD_CLOEXEC);
  MODICUM_CHECK(fd >= 0 && write(fd, data, size) == static_cast<ssize_t>(size));
  const auto read = ReadImportance("/proc/self/fd/" + std::to_string(fd));
  close(fd);
  if (!read) return 0;
  for (const Importance& importance : *read)
    for (const float value : importance.values)
      MODICUM_CHECK(std::isfinite(value) && value >= 0);
  return 0;
}
