// SPDX-License-Identifier: Apache-2.0
#include "cli/run_hold.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

#include "base/format.h"
#include "base/terminal.h"
#include "place/grid_service.h"
#include "place/intensity_series.h"
#include "plan/amount.h"

namespace modicum {
namespace {

// How soon a signal is noticed.
constexpr Seconds kNap = Milliseconds(200);

Seconds Between(WallTime from, WallTime to) {
  return Seconds(static_cast<double>(to.micros - from.micros) / 1e6);
}

// By the wall clock: a machine that sleeps meanwhile wakes in time. A terminal
// shows when it starts.
Status WaitUntil(WallTime start, Clock& clock, const std::stop_token& stop,
                 std::FILE* out) {
  const bool live = IsTerminal(out);
  Status ended;
  while (true) {
    const Seconds left = Between(clock.WallNow(), start);
    if (left.value() <= 0) break;
    if (stop.stop_requested()) {
      ended = Fail(ErrorCode::kInterrupted,
                   "stopped while waiting: the command was not started");
      break;
    }
    if (live)
      fmt::print(out, "\r\x1b[K  starts {}, in {}", FormatUtc(start),
                 FormatDuration(left));
    std::fflush(out);
    clock.SleepUntil(clock.Now() + std::min(left, kNap));
  }
  if (live) std::fputs("\r\x1b[K", out);
  return ended;
}

}  // namespace

void DeclareHold(CLI::App& app, HoldOptions& options) {
  app.add_flag("--hold-until-greenest", options.asked,
               "wait for the hours with the least carbon; needs --series and "
               "--deadline");
  app.add_option("--deadline", options.deadline,
                 "when the command should have ended: 8h")
      ->type_name("TIME");
  app.add_option("--series", options.series,
                 "CSV of average intensity: time, gco2e_per_kwh; or a service: "
                 "uk, electricitymaps:ZONE, watttime:REGION")
      ->type_name("SERIES");
  app.add_option("--expect", options.expect, "how long it will run [1h]")
      ->type_name("TIME");
}

Status CheckHold(const HoldOptions& options) {
  const bool any = !options.deadline.empty() || !options.series.empty();
  if (!options.asked && any)
    return Fail(ErrorCode::kInvalidInput,
                "--deadline and --series are for --hold-until-greenest",
                "add it, or leave them out");
  if (!options.asked) return {};
  if (options.deadline.empty() || options.series.empty())
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("--hold-until-greenest without a {}",
                    options.deadline.empty() ? "--deadline" : "--series"),
        "--hold-until-greenest --deadline 8h --series PL.csv");
  MODICUM_RETURN_IF_ERROR(ParseSeconds(options.deadline, "--deadline"));
  MODICUM_RETURN_IF_ERROR(ParseSeconds(options.expect, "--expect"));
  return {};
}

Status HoldUntilGreenest(const HoldOptions& options, Clock& clock,
                         const std::stop_token& stop, std::FILE* out) {
  MODICUM_TRY(const double deadline,
              ParseSeconds(options.deadline, "--deadline"));
  MODICUM_TRY(const double expect, ParseSeconds(options.expect, "--expect"));
  MODICUM_TRY(const GridSeries text,
              ReadSeriesText(options.series, options.folder, clock));
  if (!text.note.empty()) fmt::print(out, "modicum: note: {}\n", text.note);
  MODICUM_TRY(const IntensitySeries series,
              IntensitySeries::Parse(text.csv, options.series));
  const WallTime now = clock.WallNow();
  MODICUM_TRY(const auto windows,
              StartWindows(series, now, Seconds(expect), Seconds(deadline)));
  const StartWindow& best = windows[0];
  const auto at_once = series.MeanOver(now, Seconds(expect));
  MODICUM_RETURN_IF_ERROR(WaitUntil(best.start, clock, stop, out));
  const std::string least = fmt::format("{} gCO2e/kWh on average over {}",
                                        FormatNumber(best.mean.value(), 3),
                                        FormatDuration(Seconds(expect)));
  const Seconds held = Between(now, best.start);
  std::string said;
  if (held.value() <= 0) {
    said =
        fmt::format("now is the greenest start before the deadline: {}", least);
  } else if (!at_once) {
    said = fmt::format("held for {}: {}", FormatDuration(held), least);
  } else {
    said = fmt::format(
        "held for {}: {} against {} at once ({:+.0f} %, {})",
        FormatDuration(held), least, FormatNumber(at_once->value(), 3),
        100 * (best.mean / *at_once - 1),
        series.kind() == IntensityKind::kMarginal
            ? "consequential: what the plants that answer to it emit"
            : "attributional: what the grid's average charges the command "
              "with");
  }
  fmt::print(out, "modicum: {}\n", said);
  return {};
}

}  // namespace modicum
