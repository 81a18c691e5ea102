// SPDX-License-Identifier: Apache-2.0
// What the module libmodicum-sign.so exports: Ed25519 (RFC 8032). Sizes in
// bytes: keys 32, signatures 64.
#pragma once

#include <cstddef>
#include <cstdint>

namespace modicum {

struct SignModule {
  void (*public_key)(uint8_t* public_key, const uint8_t* private_key);
  void (*sign)(const uint8_t* public_key, const uint8_t* private_key,
               size_t length, const uint8_t* message, uint8_t* signature);
  int (*verify)(const uint8_t* public_key, size_t length,
                const uint8_t* message, const uint8_t* signature);
};

// The name carries the interface's version.
inline constexpr char kSignModule[] = "modicum_sign_1";
using SignFactory = const SignModule* (*)();

}  // namespace modicum
