// SPDX-License-Identifier: Apache-2.0
// What every call of the C API is wrapped in: no exception leaves it, and what
// failed is kept for modicum_error_message().
#pragma once

#include <modicum/modicum.h>

#include <exception>
#include <new>

#include "base/result.h"

namespace modicum::internal {

// Keeps `error` for this thread.
modicum_status Failed(Error error) noexcept;

// `call` returns a Status.
template <class Call>
modicum_status Guarded(Call call) noexcept {
  try {
    Status status = call();
    return status ? MODICUM_OK : Failed(std::move(status).error());
  } catch (const std::bad_alloc&) {
    return Failed({ErrorCode::kInternal, "out of memory", ""});
  } catch (const std::exception& error) {
    return Failed({ErrorCode::kInternal,
                   std::string("unexpected failure: ") + error.what(),
                   "this is a bug: please report it"});
  }
}

inline tl::unexpected<Error> NullArgument(const char* name) {
  return Fail(ErrorCode::kInvalidInput, std::string(name) + " is NULL",
              "give the address of one");
}

}  // namespace modicum::internal
