// SPDX-License-Identifier: Apache-2.0
#include "cli/ledger_charges.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>
#include <set>

#include "base/format.h"
#include "base/suggest.h"
#include "cli/run_options.h"
#include "report/bill_report.h"

namespace modicum {
namespace {

constexpr double kWarnAt = 0.8;  // of a cap

// What sums can be by without a tag.
constexpr std::string_view kOwnKeys[] = {"project", "kind", "host"};

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

void NoteUnknownNames(std::span<const Run> runs,
                      std::span<const Charge> charges, const ChargeView& view) {
  std::set<std::string_view> keys;
  for (const Run& run : runs)
    for (const auto& [key, value] : run.tags) keys.insert(key);
  const std::vector<std::string_view> known(keys.begin(), keys.end());
  const bool is_tag =
      std::ranges::find(kOwnKeys, view.by) == std::end(kOwnKeys);
  if (is_tag && !keys.contains(view.by))
    fmt::print(stderr, "modicum: note: no run has a tag '{}'{}\n",
               PlainText(view.by), DidYouMean(view.by, known));
  for (const ChargeCap& cap : view.caps)
    if (!cap.who.empty() &&
        std::ranges::find(charges, cap.who, &Charge::who) == charges.end())
      fmt::print(stderr,
                 "modicum: note: no run has {} '{}', which --cap names\n",
                 PlainText(view.by), PlainText(cap.who));
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
