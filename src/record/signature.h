// SPDX-License-Identifier: Apache-2.0
// Ed25519 signatures (RFC 8032) of receipts. Keys are files of one line:
//   modicum-private-key <64 hexadecimal digits>
//   modicum-public-key <64 hexadecimal digits>
// The arithmetic is in libmodicum-sign.so, opened when first used; without it
// every function that needs it is kUnavailable and says so.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"
#include "record/receipt.h"

namespace modicum {

using PrivateKey = std::array<uint8_t, 32>;
using PublicKey = std::array<uint8_t, 32>;

Result<PublicKey> PublicKeyOf(const PrivateKey& key);
// 64 bytes, of any message.
Result<std::array<uint8_t, 64>> SignBytes(std::string_view message,
                                          const PrivateKey& key);

// Makes a key pair: `path` (mode 0600) and `path`.pub. Refuses to overwrite
// either (kInvalidInput). Gives the public key, in hexadecimal.
Result<std::string> MakeKeyFiles(const std::string& path);
// kNotFound, kPermission; kInvalidInput when it is no private key or others
// may read the file.
Result<PrivateKey> ReadPrivateKey(const std::string& path);
// A public key as 64 digits, or the file that holds one.
Result<std::string> ReadPublicKey(const std::string& text_or_path);

// Signs the 32 bytes of `hash` with the key in `key_file`.
Result<Signature> Sign(const Hash& hash, const std::string& key_file);
// kInvalidInput where the signature is not of this hash by its public key.
Status CheckSignature(const Hash& hash, const Signature& signature);

}  // namespace modicum
