// SPDX-License-Identifier: Apache-2.0
#include "cli/ledger_charges.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>

#include "base/format.h"
#include "cli/run_options.h"
#include "report/bill_report.h"

namespace modicum {
namespace {

constexpr double kWarnAt = 0.8;  // of a cap

// "5kWh" for everyone, "search=5kWh" for one.
Result<ChargeCap> ParseCap(const std::string& text) {
  ChargeCap cap;
  const size_t equals = text.rfind('=');
  if (equals != std::string::npos) cap.who = text.substr(0, equals);
  const std::string amount =
      equals == std::string::npos ? text : text.substr(equals + 1);
  const auto energy = ParseEnergy(amount);
  if (!energy || cap.who.empty() != (equals == std::string::npos))
    return Fail(ErrorCode::kInvalidInput,
                "--cap: '" + text + "' is no energy, nor NAME=ENERGY",
                "for example --cap 5kWh, or --cap search=500Wh");
  cap.energy = *energy;
  return cap;
}

}  // namespace

void AddChargeOptions(CLI::App& app, ChargeOptions& options) {
  app.add_option("--by", options.by,
                 "Sums by project, kind, host or a tag's key, such as team");
  app.add_flag("--month", options.month, "A sum for each month (UTC)");
  app.add_flag("--day", options.day, "A sum for each day (UTC)");
  app.add_option("--cap", options.caps,
                 "Most energy for each sum, or for one: search=5kWh. Warns at\n"
                 "80 %, exits with 4 past it")
      ->type_name("ENERGY")
      ->allow_extra_args(false);
}

Result<ChargeView> ChargeViewOf(const ChargeOptions& options) {
  ChargeView view;
  view.by = options.by;
  if (options.month && options.day)
    return Fail(ErrorCode::kInvalidInput,
                "--month and --day exclude each other",
                "leave one of them out");
  if (view.by.empty() &&
      (options.month || options.day || !options.caps.empty()))
    return Fail(ErrorCode::kInvalidInput,
                "--month, --day and --cap are of sums, and none are asked for",
                "add --by project, or --by and a tag's key");
  for (const std::string& text : options.caps) {
    MODICUM_TRY(view.caps.emplace_back(), ParseCap(text));
  }
  return view;
}

ChargePeriod PeriodOf(const ChargeOptions& options) {
  if (options.month) return ChargePeriod::kMonths;
  return options.day ? ChargePeriod::kDays : ChargePeriod::kAll;
}

bool WarnOfCaps(std::span<const Charge> charges, const ChargeView& view) {
  bool past = false;
  for (const Charge& charge : charges) {
    const auto cap = CapOf(charge, view.caps);
    if (!cap || !charge.sum.energy) continue;
    const double used = charge.sum.energy->mid / *cap;
    if (used < kWarnAt) continue;
    past |= used > 1;
    fmt::print(stderr, "modicum: {}{}: {} is {} the cap of {}\n",
               charge.who.empty() ? "(no " + PlainText(view.by) + ")"
                                  : PlainText(charge.who),
               charge.period.empty() ? "" : ", " + charge.period,
               FormatEstimate(*charge.sum.energy),
               used > 1 ? "past" : "over 80 % of",
               FormatWithUnit(cap->value(), "J"));
  }
  return past;
}

}  // namespace modicum
