// SPDX-License-Identifier: Apache-2.0
// Claims about AI as people publish them: rows of Markdown and CSV tables, and
// lines of text, read into quantities of known kind and unit.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hardware/accelerators.h"

namespace modicum {

// What a number counts, with the unit that it is read into.
enum class ClaimKind {
  kParameters,      // 1
  kActive,          // parameters that one token uses
  kTokens,          // 1
  kOptimalTokens,   // said to be compute-optimal
  kGpus,            // 1
  kGpuHours,        // h
  kTime,            // h
  kEnergy,          // kWh
  kPower,           // kW
  kCarbon,          // kg CO2e
  kMemory,          // GB
  kStorage,         // GB
  kMoney,           // in the currency printed
  kMoneyPerDay,     // the same
  kMoneyPerQuery,   // the same
  kUsers,           // a month
  kServers,         // 1
  kItems,           // images, inferences, queries that an energy is for
  kPercent,         // %
  kFactor,          // "5-10x"
  kPhoneCharges,    // 1
  kStreamingHours,  // 1
  kHouseholdDays,   // 1
  kDistance,        // km
};
std::string_view ClaimKindName(ClaimKind kind);

struct ClaimQuantity {
  ClaimKind kind{};
  double low = 0;  // finite, above zero; low = high of a plain number
  double high = 0;
  std::string text;  // "355,224 kW", as printed

  double mid() const { return low + (high - low) / 2; }
};

struct Claim {
  size_t line = 0;      // of the file, from 1
  size_t table = 0;     // 0: text; rows of one table share a number
  std::string subject;  // a table row's name, or the line
  std::vector<ClaimQuantity> quantities;
  const Accelerator* chip = nullptr;  // the one that is named

  // The first of a kind; nullptr when it says nothing of it.
  const ClaimQuantity* Find(ClaimKind kind) const;
};

inline constexpr size_t kLargestClaimsFile = 4 << 20;

// Every table row and every line of text that holds a quantity. A line that
// begins with # is no claim. kInvalidInput: larger than kLargestClaimsFile, a
// NUL byte, or nothing to audit; `name` is the file's, for messages.
Result<std::vector<Claim>> ParseClaims(std::string_view text,
                                       std::string_view name);

// What a column of this name holds, as documented.
struct ClaimColumn {
  std::string_view words;  // all of them are in the lower-case header
  ClaimKind kind;
};
std::span<const ClaimColumn> ClaimColumns();

}  // namespace modicum
