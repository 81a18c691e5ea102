// SPDX-License-Identifier: Apache-2.0
// A message of the kernel's taskstats: what is accepted is of a process, with
// a time that is none below zero and a name that fits.
#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "meter/exits.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modicum;  // NOLINT(google-build-using-namespace)
  const auto exit = ParseThreadExit({data, size});
  if (!exit) return 0;
  MODICUM_CHECK(exit->process > 0);
  MODICUM_CHECK(exit->cpu >= Seconds(0));
  MODICUM_CHECK(exit->name.size() <= 32);
  return 0;
}
