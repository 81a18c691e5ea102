// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <cstdio>
#include <cstdlib>

namespace modicum {

void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "modicum: internal error: %s:%d: %s\n", file, line,
               condition);
  std::abort();
}

}  // namespace modicum
