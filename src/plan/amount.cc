// SPDX-License-Identifier: Apache-2.0
#include "plan/amount.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <span>
#include <utility>

#include "base/format.h"

namespace modicum {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr Unit kCounts[] = {{"", 1},    {"K", 1e3}, {"k", 1e3}, {"M", 1e6},
                            {"G", 1e9}, {"B", 1e9}, {"T", 1e12}};
constexpr Unit kWatts[] = {{"", 1}, {"W", 1}, {"kW", 1e3}, {"mW", 1e-3}};
constexpr Unit kSeconds[] = {
    {"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};

constexpr Unit kFlop[] = {{"flop", 1}, {"FLOP", 1}};
constexpr Unit kUsd[] = {{"usd", 1}, {"USD", 1}};
constexpr Unit kKilowattHours[] = {
    {"Wh", 1e-3}, {"kWh", 1}, {"MWh", 1e3}, {"GWh", 1e6}};

Result<double> Parse(std::string_view text, std::string_view flag,
                     std::span<const Unit> units, const std::string& hint) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  std::string_view unit(read.ptr, static_cast<size_t>(end - read.ptr));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  if (read.ec == std::errc::result_out_of_range)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} {} overflows", flag, text), hint);
  if (read.ec != std::errc() || !std::isfinite(number))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} '{}' is not a number", flag, text), hint);
  if (unit == "b")
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} '{}': bits, bytes or billions?", flag, text),
                hint);
  for (const Unit& known : units) {
    if (known.name != unit) continue;
    if (number > 0 && number * known.factor < 1e300)
      return number * known.factor;
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} {} is not above zero", flag, text), hint);
  }
  return Fail(
      ErrorCode::kInvalidInput,
      fmt::format("{} '{}' has no unit that fits: '{}'", flag, text, unit),
      hint);
}

}  // namespace

Result<double> ParseAmount(std::string_view text, std::string_view flag) {
  return Parse(text, flag, kCounts,
               "a number above zero, with K, M, B (billions) or T if large: "
               "350M, 7B, 7e9");
}

Result<double> ParseWatts(std::string_view text, std::string_view flag) {
  return Parse(text, flag, kWatts,
               fmt::format("watts of one device: {} 400W", flag));
}

Result<double> ParseSeconds(std::string_view text, std::string_view flag) {
  return Parse(
      text, flag, kSeconds,
      fmt::format("a time with its unit, ms, s, min, h or d: {} 2s", flag));
}

std::string FormatBillions(double count) {
  return FormatNumber(count / 1e9, 3) + " billion";
}

Result<UnitAmount> ParseBudgetAmount(std::string_view text,
                                     std::string_view flag) {
  const std::string hint = fmt::format(
      "compute, money or energy: {0} 1e21flop, {0} 5000usd or {0} 2MWh; rates "
      "(FLOP/s, MW) are none of these",
      flag);
  constexpr std::pair<std::string_view, std::span<const Unit>> kKinds[] = {
      {"flop", kFlop}, {"usd", kUsd}, {"kWh", kKilowattHours}};
  for (const auto& [name, units] : kKinds)
    for (const Unit& unit : units) {
      if (!text.ends_with(unit.name)) continue;
      const auto value = Parse(text, flag, units, hint);
      if (!value) return Fail(value.error());
      return UnitAmount{*value, name};
    }
  return Fail(Parse(text, flag, {}, hint).error());
}

}  // namespace modicum
