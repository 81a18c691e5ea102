// SPDX-License-Identifier: Apache-2.0
// Whether published claims can be true: arithmetic against physical bounds,
// published runs and each other.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plan/claims.h"
#include "record/plan.h"

namespace modicum {

enum class Verdict {
  kConsistent,
  kInconsistent,  // with itself, with published figures or with practice
  kImpossible,    // against a physical bound
  kUnitError,     // right in another unit
  kUnverifiable,  // no rule applies to what it states
};
std::string_view VerdictName(Verdict verdict);

struct Finding {
  const Claim* claim = nullptr;
  std::string_view rule;  // "" of kUnverifiable
  Verdict verdict{};
  std::string arithmetic;  // "355,224 kWh / (164 GPUs x 4,332 h) = 500 W"
};

// A rule as documented.
struct AuditRuleRow {
  std::string_view name;
  std::string_view needs;
  std::string_view formula;
  std::string_view source;
};
std::vector<AuditRuleRow> AuditRules();

// `chip` is the one assumed where a claim names none. The findings point into
// `claims`; at least one for each claim.
std::vector<Finding> AuditClaims(std::span<const Claim> claims,
                                 const Accelerator& chip);

Plan AuditPlan(std::span<const Finding> findings, const Accelerator& chip);

}  // namespace modicum
