// SPDX-License-Identifier: Apache-2.0
// Amounts as people write them: "7B", "2T", "1e12", "400W", "2s".
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace modicum {

// A count above zero, plain or with K, M, B (or G) or T. "7b" is refused: bits,
// bytes or billions? So are zero, signs and other units. `flag` is named.
Result<double> ParseAmount(std::string_view text, std::string_view flag);
Result<double> ParseWatts(std::string_view text, std::string_view flag);
// "2s", "200ms", "1.5min", "8h", "3d"; a bare number is refused.
Result<double> ParseSeconds(std::string_view text, std::string_view flag);

// "6.74 billion", of 6.74e9.
std::string FormatBillions(double count);

// "1e21flop", "5000usd", "2MWh": in FLOP, USD or kWh, as `unit` says ("flop",
// "usd", "kWh").
struct UnitAmount {
  double value = 0;
  std::string_view unit;
};
Result<UnitAmount> ParseBudgetAmount(std::string_view text,
                                     std::string_view flag);

}  // namespace modicum
