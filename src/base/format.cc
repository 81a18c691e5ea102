// SPDX-License-Identifier: Apache-2.0
#include "base/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

namespace modicum {
namespace {

std::string NotFinite(double value) {
  if (std::isnan(value)) return "nan";
  return value < 0 ? "-inf" : "inf";
}

// "-1234.5" -> "-1,234.5".
std::string WithCommas(std::string number) {
  const size_t first = number.starts_with('-') ? 1 : 0;
  size_t at = std::min(number.find('.'), number.size());
  while (at > first + 3) {
    at -= 3;
    number.insert(at, 1, ',');
  }
  return number;
}

// The power of ten of the first digit, once rounded to `digits`.
int RoundedExponent(double value, int digits) {
  const std::string text = fmt::format("{:.{}e}", value, digits - 1);
  return std::stoi(text.substr(text.find('e') + 1));
}

// The number with exactly `digits` significant digits, zeros included.
std::string Significant(double value, int digits) {
  if (!std::isfinite(value)) return NotFinite(value);
  if (value == 0) return "0";
  std::string scientific = fmt::format("{:.{}e}", value, digits - 1);
  const int exponent = std::stoi(scientific.substr(scientific.find('e') + 1));
  if (exponent < -4 || exponent >= 9) return scientific;
  const double step = std::pow(10.0, exponent - digits + 1);
  // Digits left of the point that are not significant become zeros.
  if (step > 1) value = std::stod(scientific);
  return WithCommas(
      fmt::format("{:.{}f}", value, std::max(0, digits - 1 - exponent)));
}

// Money has no prefixes, and nobody reads 4.5e-09 EUR.
constexpr double kLeastMoney = 0.0001;

struct Prefix {
  int exponent;
  std::string_view symbol;
};
constexpr std::array<Prefix, 11> kPrefixes{{{-12, "p"},
                                            {-9, "n"},
                                            {-6, "µ"},
                                            {-3, "m"},
                                            {0, ""},
                                            {3, "k"},
                                            {6, "M"},
                                            {9, "G"},
                                            {12, "T"},
                                            {15, "P"},
                                            {18, "E"}}};

// Which prefixes a unit takes: there is no millibyte, no kilosecond in use,
// and a quotient such as gCO2e/kWh stays in the unit that it is compared in.
struct UnitRow {
  std::string_view unit;
  int lowest;
  int highest;
};
constexpr std::array<UnitRow, 10> kUnits{{{"J", -12, 18},
                                          {"W", -12, 18},
                                          {"Wh", -12, 18},
                                          {"gCO2e", -12, 18},
                                          {"L", -12, 18},
                                          {"Hz", -3, 18},
                                          {"s", -12, 0},
                                          {"B", 0, 18},
                                          {"FLOP", 0, 18},
                                          {"FLOP/s", 0, 18}}};

// A unit with its prefix, and what a value is multiplied by to be in it.
struct Scaled {
  double factor = 1;
  std::string unit;
};

// Mg would be read as mg, a thousand million times less: tonnes, then.
std::string PrefixedUnit(std::string_view unit, int exponent) {
  std::string_view base = unit;
  if (unit == "gCO2e" && exponent >= 6) {
    base = "tCO2e";
    exponent -= 6;
  }
  const auto prefix = std::find_if(
      kPrefixes.begin(), kPrefixes.end(),
      [exponent](const Prefix& p) { return p.exponent == exponent; });
  return fmt::format("{}{}", prefix->symbol, base);
}

Scaled ScaleFor(double value, std::string_view unit, int digits) {
  const auto row =
      std::find_if(kUnits.begin(), kUnits.end(),
                   [unit](const UnitRow& r) { return r.unit == unit; });
  if (row == kUnits.end() || value == 0 || !std::isfinite(value))
    return {1, std::string(unit)};
  const int exponent = RoundedExponent(value, digits);
  const int thousands = exponent >= 0 ? exponent / 3 : -((2 - exponent) / 3);
  const int prefix = std::clamp(3 * thousands, row->lowest, row->highest);
  return {std::pow(10.0, -prefix), PrefixedUnit(unit, prefix)};
}

std::string WithUnit(std::string number, std::string_view unit) {
  // A unit that starts with a slash ("/kWh") closes up.
  if (!unit.empty() && !unit.starts_with('/')) number += ' ';
  number += unit;
  return number;
}

// The value by which the prefix of an estimate is chosen: mid, unless it is
// negligible beside its own interval.
double Leading(double mid, Interval interval) {
  const double widest =
      std::max(std::abs(interval.low), std::abs(interval.high));
  if (!std::isfinite(widest) || std::abs(mid) * 100 >= widest) return mid;
  return widest;
}

std::string TwoParts(int64_t value, int64_t step, const char* large,
                     const char* small) {
  const std::string whole = fmt::format(
      "{} {}", FormatCount(static_cast<uint64_t>(value / step)), large);
  const int64_t rest = value % step;
  return rest == 0 ? whole : fmt::format("{} {} {}", whole, rest, small);
}

}  // namespace

std::string FormatNumber(double value, int digits) {
  const bool whole = value == std::trunc(value);
  if (whole && std::abs(value) < std::pow(10.0, std::min(digits, 9)))
    return WithCommas(fmt::format("{:.0f}", value + 0.0));
  return Significant(value, digits);
}

std::string FormatCount(uint64_t count) {
  return WithCommas(std::to_string(count));
}

std::string FormatWithUnit(double value, std::string_view unit, int digits) {
  const Scaled scaled = ScaleFor(value, unit, digits);
  return WithUnit(Significant(value * scaled.factor, digits), scaled.unit);
}

std::string FormatDuration(Seconds duration) {
  const double s = duration.value();
  if (!std::isfinite(s)) return NotFinite(s);
  if (s < 0) return "-" + FormatDuration(-duration);
  if (s < 9.95) return FormatWithUnit(s, "s");
  if (s < 119.5) return fmt::format("{:.0f} s", s);
  if (s < 599.5) return TwoParts(std::llround(s), 60, "min", "s");
  if (s < 3570) return fmt::format("{:.0f} min", s / 60);
  if (s < 47.5 * 3600) return TwoParts(std::llround(s / 60), 60, "h", "min");
  if (s < 9.5 * 86400) return TwoParts(std::llround(s / 3600), 24, "d", "h");
  return FormatNumber(s / 86400, std::max(2, RoundedExponent(s / 86400, 2) + 1))
      .append(" d");
}

std::string FormatBytes(Bytes bytes) {
  if (std::abs(bytes.value()) < 999.5)
    return fmt::format("{:.0f} B", bytes.value());
  return FormatWithUnit(bytes.value(), BytesTag::kUnit);
}

std::string FormatInterval(Interval interval, int digits) {
  return fmt::format("[{}, {}]", Significant(interval.low, digits),
                     Significant(interval.high, digits));
}

std::string FormatMoney(const MoneyEstimate& money, int digits) {
  const double high = money.amount.interval().high;
  if (high > 0 && high < kLeastMoney && money.amount.mid.value() > 0)
    return fmt::format("under {} {} {}", kLeastMoney, money.currency.view(),
                       OriginName(money.amount.origin));
  return internal::FormatEstimateText(
      money.amount.mid.value(), money.amount.interval(), money.currency.view(),
      money.amount.origin, digits);
}

std::string FormatRatio(const Estimate<Scalar>& ratio) {
  return FormatNumber(ratio.mid.value()) + "x " +
         FormatInterval(ratio.interval());
}

std::string FormatFactor(const Interval& interval, double mid) {
  const double square = mid * mid;
  const bool log_scale =
      interval.low * mid > 0 && interval.low < interval.high &&
      std::abs(interval.low * interval.high - square) <= 1e-9 * square;
  if (!log_scale) return "";
  const double factor = std::max(interval.high / mid, interval.low / mid);
  int digits = 2;
  while (digits < 6 && factor - 1 < std::pow(10.0, 1 - digits)) ++digits;
  return "x/÷ " + Significant(factor, digits);
}

std::string FormatUtc(WallTime time) {
  using std::chrono::floor;
  const std::chrono::sys_time<std::chrono::microseconds> point{
      std::chrono::microseconds(time.micros)};
  const auto day = floor<std::chrono::days>(point);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(floor<std::chrono::seconds>(point) - day);
  return fmt::format(
      "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

namespace internal {

std::string FormatEstimateText(double mid, Interval interval,
                               std::string_view unit, Origin origin,
                               int digits) {
  const Scaled scaled = ScaleFor(Leading(mid, interval), unit, digits);
  std::string text =
      WithUnit(Significant(mid * scaled.factor, digits), scaled.unit);
  // A constant with no stated error has no interval to show.
  if (interval.low != interval.high)
    text += " " + FormatInterval({interval.low * scaled.factor,
                                  interval.high * scaled.factor},
                                 digits);
  return fmt::format("{} {}", text, OriginName(origin));
}

}  // namespace internal
}  // namespace modicum
