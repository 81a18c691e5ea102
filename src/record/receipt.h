// SPDX-License-Identifier: Apache-2.0
// A receipt: what a fit saw and what it concluded, as one JSON file that
// anyone can check. The file is {"receipt": ..., "sha256": ...,
// "signature": ...} in canonical form (RFC 8785) and a newline; the SHA-256 is
// of the canonical form of the member "receipt".
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"
#include "record/evidence.h"
#include "record/fit_result.h"

namespace modicum {

inline constexpr char kReceiptSchema[] = "modicum-receipt-1";

struct Signature {
  std::string public_key;  // Ed25519, 64 hex digits
  std::string signature;   // of the 32 bytes of the SHA-256; 128 hex digits
};

struct Receipt {
  FitEvidence evidence;
  FitResult result;
  // The artifact's files as they lie beside the receipt: path -> sha256 hex.
  std::map<std::string, std::string> files;
  Hash sha256{};  // of the canonical form
  std::optional<Signature> signature;
};

// RFC 8785: keys sorted by UTF-16, numbers in their shortest form, no space.
// Numbers must be finite; bytes that are not UTF-8 become U+FFFD.
std::string CanonicalJson(const nlohmann::json& json);

// The hash that FormatReceipt writes and a signature signs.
Hash ReceiptHash(const Receipt& receipt);
// The file's text; fills in the hash, keeps the signature. A number that is
// not finite is written as text, which ParseReceipt refuses by its place.
std::string FormatReceipt(const Receipt& receipt);
// Writes the file, whole or not at all, after reading the text back: what
// ParseReceipt would refuse is kInternal and is not written.
Status WriteReceipt(const std::string& path, const Receipt& receipt);
// kInvalidInput names what is wrong: not JSON, not canonical, another schema, a
// member that is missing or of the wrong type, a hash that does not match.
// Does not check signature or files.
Result<Receipt> ParseReceipt(std::string_view text);

}  // namespace modicum
