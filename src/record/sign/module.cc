// SPDX-License-Identifier: Apache-2.0
// Ed25519 by nettle, with its big numbers: too much for the program itself.
#include <nettle/eddsa.h>

#include "record/sign/sign.h"

extern "C" __attribute__((visibility("default"))) const modicum::SignModule*
modicum_sign_1() {
  static constexpr modicum::SignModule kModule{
      &ed25519_sha512_public_key, &ed25519_sha512_sign, &ed25519_sha512_verify};
  return &kModule;
}
