// SPDX-License-Identifier: Apache-2.0
#include "api/call.h"

#include "base/version.h"

namespace modicum::internal {
namespace {

// The codes are the C API's less one.
static_assert(MODICUM_INVALID_INPUT ==
              static_cast<int>(ErrorCode::kInvalidInput) + 1);
static_assert(MODICUM_INTERRUPTED ==
              static_cast<int>(ErrorCode::kInterrupted) + 1);
static_assert(MODICUM_IO == static_cast<int>(ErrorCode::kIo) + 1);
static_assert(MODICUM_INTERNAL == static_cast<int>(ErrorCode::kInternal) + 1);

thread_local Error last_error{ErrorCode::kInternal, "", ""};

}  // namespace

modicum_status Failed(Error error) noexcept {
  last_error = std::move(error);
  return static_cast<modicum_status>(static_cast<int>(last_error.code) + 1);
}

}  // namespace modicum::internal

const char* modicum_error_message(void) {
  return modicum::internal::last_error.message.c_str();
}

const char* modicum_error_hint(void) {
  return modicum::internal::last_error.hint.c_str();
}

const char* modicum_version(void) { return modicum::Version().data(); }
