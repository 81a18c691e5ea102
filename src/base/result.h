// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Error that says what failed and what to do next.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace modicum {

// What the caller does next decides the code, not what went wrong inside.
enum class ErrorCode {
  kInvalidInput,  // the user's file or flag: fix it
  kNotFound,      // the thing named is not there
  kPermission,    // it is there, access is denied
  kUnavailable,   // this machine does not have it
  kRetry,         // failed now, may succeed later
  kEnded,         // the source ended, as sources do (a process exited)
  kInterrupted,   // the user asked to stop
  kBelowQuality,  // done, but below the requested quality
  kIo,            // a file, socket or database failed
  kInternal,      // a bug or an unexpected third-party failure
};

struct Error {
  ErrorCode code;
  std::string message;  // what failed and where
  std::string hint;     // what to do next; may be empty
};

// tl::expected is not [[nodiscard]]; this derived class is.
template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  // NOLINTNEXTLINE(google-explicit-constructor): and_then() returns the base.
  Result(tl::expected<T, Error> other)
      : tl::expected<T, Error>(std::move(other)) {}
};

using Status = Result<void>;

inline tl::unexpected<Error> Fail(ErrorCode code, std::string message,
                                  std::string hint = {}) {
  return tl::unexpected<Error>(
      Error{code, std::move(message), std::move(hint)});
}

inline tl::unexpected<Error> Fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

// Aborts with the condition and place; for programmer errors only.
[[noreturn]] void CheckFailed(const char* condition, const char* file,
                              int line);

}  // namespace modicum

#define MODICUM_CHECK(condition) \
  ((condition) ? void()          \
               : ::modicum::CheckFailed(#condition, __FILE__, __LINE__))

#define MODICUM_CAT_(a, b) a##b
#define MODICUM_CAT(a, b) MODICUM_CAT_(a, b)

// MODICUM_TRY(auto x, Foo());   returns Foo's error, or defines x.
#define MODICUM_TRY(lhs, expr) \
  MODICUM_TRY_IMPL(MODICUM_CAT(modicum_try_, __COUNTER__), lhs, expr)
#define MODICUM_TRY_IMPL(tmp, lhs, expr)                    \
  auto tmp = (expr);                                        \
  if (!tmp) return ::modicum::Fail(std::move(tmp).error()); \
  lhs = *std::move(tmp)

// MODICUM_CHECK_OK-style return for a Status.
#define MODICUM_RETURN_IF_ERROR(expr)                            \
  do {                                                           \
    if (auto modicum_status = (expr); !modicum_status)           \
      return ::modicum::Fail(std::move(modicum_status).error()); \
  } while (false)
