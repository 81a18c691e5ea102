// SPDX-License-Identifier: Apache-2.0
// How numbers are printed: unit, 90 % interval and origin travel with them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/estimate.h"
#include "base/units.h"

namespace modicum {

// Significant digits, never an exponent between 1e-4 and 1e9, thousands
// separated by commas: "0.42", "12,000", "3.1e-06", "nan", "inf". A whole
// number has no fraction: "7".
std::string FormatNumber(double value, int digits = 2);
std::string FormatCount(uint64_t count);  // "1,234,567", every digit
// With an SI prefix on the unit: "12 mJ", "3.4 kJ", "1.2 MB"; "0 J". Units
// that take none stay: "440 gCO2e/kWh". A million grams are a tonne.
std::string FormatWithUnit(double value, std::string_view unit, int digits = 2);
// "12 ms", "90 s", "3 min 20 s", "12 min", "3 h 20 min", "2 d 4 h", "40 d".
std::string FormatDuration(Seconds duration);
std::string FormatBytes(Bytes bytes);  // "1.2 MB" (powers of 1000)

// "[0.18, 1.0]": both ends with the same number of significant digits.
std::string FormatInterval(Interval interval, int digits = 2);
// One prefix for the three numbers: "420 mJ [180, 1,000] modelled". No
// interval where the estimate has no error: "1.2 assumed".
template <class Tag>
std::string FormatEstimate(const Estimate<Quantity<Tag>>& estimate,
                           int digits = 2);
// "0.0012 EUR [0.0010, 0.0014] modelled"; "under 0.0001 EUR modelled" where
// the whole interval is.
std::string FormatMoney(const MoneyEstimate& money, int digits = 2);

// "7.7x [7.5, 7.9]".
std::string FormatRatio(const Estimate<Scalar>& ratio);

// The interval as a factor, "x/÷ 2.4"; "" when it is not on a log scale.
std::string FormatFactor(const Interval& interval, double mid);

std::string FormatUtc(WallTime time);  // "2026-01-01T00:00:00Z"

namespace internal {
std::string FormatEstimateText(double mid, Interval interval,
                               std::string_view unit, Origin origin,
                               int digits);
}

template <class Tag>
std::string FormatEstimate(const Estimate<Quantity<Tag>>& estimate,
                           int digits) {
  return internal::FormatEstimateText(estimate.mid.value(), estimate.interval(),
                                      Tag::kUnit, estimate.origin, digits);
}

}  // namespace modicum
