// SPDX-License-Identifier: Apache-2.0
// The parser of claims, and the audit of what it read, on any bytes.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "plan/audit.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto claims = modicum::ParseClaims(
      {reinterpret_cast<const char*>(data), size}, "claims");
  if (!claims) {
    MODICUM_CHECK(!claims.error().message.empty());
    return 0;
  }
  for (const modicum::Claim& claim : *claims)
    for (const modicum::ClaimQuantity& quantity : claim.quantities)
      MODICUM_CHECK(std::isfinite(quantity.mid()) && quantity.low > 0);
  const auto findings =
      modicum::AuditClaims(*claims, **modicum::FindAccelerator("a100-80"));
  MODICUM_CHECK(findings.size() >= claims->size());
  return 0;
}
