// SPDX-License-Identifier: Apache-2.0
// Quantities in a text: numbers with their multiplier, range and unit.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plan/claims.h"

namespace modicum::internal {

struct ClaimUnit {
  std::string_view word;
  ClaimKind kind;
  double scale;  // to the kind's unit
};
// "kwh", "days", "a100" is none; in lower case.
const ClaimUnit* FindClaimUnit(std::string_view word);

struct ScannedNumber {
  double low = 0;
  double high = 0;
  size_t end = 0;  // behind the number and its multiplier
  bool money = false;
};
// The number that begins at `at`, its currency included: "$700k", "5-10",
// "1,300", "2.5 million", "1e21". Zero and what overflows is none.
std::optional<ScannedNumber> ScanNumber(std::string_view text, size_t at);

// Appends the quantities of a line to `claim`, and the chip it names.
void ScanLine(std::string_view line, Claim& claim);

}  // namespace modicum::internal
