// SPDX-License-Identifier: Apache-2.0
// The rules that audit one claim at a time, a row each.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "plan/audit.h"

namespace modicum::internal {

// What a rule says of one claim.
struct Said {
  Verdict verdict;
  std::string arithmetic;
};

struct AuditRule {
  AuditRuleRow row;
  // nullopt when the claim lacks what the rule needs. `chip` is the one
  // assumed where none is named.
  std::optional<Said> (*check)(const Claim&, const Accelerator& chip);
};
std::span<const AuditRule> ClaimRules();

}  // namespace modicum::internal
