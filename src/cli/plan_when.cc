// SPDX-License-Identifier: Apache-2.0
// `modicum plan when`: start hours of a job by the carbon of its electricity.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/parse.h"
#include "cli/plan_inputs.h"
#include "cli/plan_verbs.h"
#include "cli/print_error.h"
#include "cli/run_options.h"
#include "place/grid_service.h"
#include "plan/amount.h"
#include "plan/when_plan.h"
#include "plan/when_price.h"

namespace modicum {
namespace {

struct WhenFlags {
  std::string energy, duration, deadline, series, now, by = "carbon";
  int top = 10;
};

Result<WhenQuery> QueryOf(const Context& context, const WhenFlags& flags) {
  WhenQuery query;
  MODICUM_TRY(query.it_energy, ParseEnergy(flags.energy));
  MODICUM_TRY(const double duration,
              ParseSeconds(flags.duration, "--duration"));
  MODICUM_TRY(const double deadline,
              ParseSeconds(flags.deadline, "--deadline"));
  query.duration = Seconds(duration);
  query.deadline = Seconds(deadline);
  query.now = context.clock.WallNow();
  if (!flags.now.empty()) {
    MODICUM_TRY(query.now, ParseTime(flags.now, false));
  }
  MODICUM_TRY(const Place place, ReadPlace(context.settings, ""));
  query.pue = place.pue;
  query.series_name = flags.series;
  query.top = static_cast<size_t>(flags.top);
  return query;
}

Result<std::optional<IntensitySeries>> ReadWhenSeries(Context& context,
                                                      const WhenFlags& flags) {
  if (flags.series.empty()) return std::optional<IntensitySeries>();
  MODICUM_TRY(
      const GridSeries text,
      ReadSeriesText(flags.series, context.settings.data_dir, context.clock));
  if (!text.note.empty()) fmt::print(stderr, "modicum: note: {}\n", text.note);
  return IntensitySeries::Parse(text.csv, flags.series)
      .map([](IntensitySeries series) {
        return std::optional<IntensitySeries>(std::move(series));
      });
}

Status CheckWhat(const Context& context, const WhenFlags& flags) {
  if (flags.by == "money" && context.settings.tariff_file.empty())
    return Fail(ErrorCode::kInvalidInput,
                "--by money needs prices that change with the hour",
                "--tariff-file FILE; docs/factors.md has the form");
  if (flags.by == "carbon" && flags.series.empty())
    return Fail(ErrorCode::kInvalidInput, "--by carbon needs a --series",
                "--series PL.csv, or --by money with a --tariff-file");
  return {};
}

}  // namespace

Result<int> PlanWhen(Context& context, const std::vector<std::string>& args) {
  WhenFlags flags;
  std::string format = "table";
  CLI::App app(
      "Ranks the hours in which a job can start by the carbon of its "
      "electricity,\nfrom a series of the grid's average intensity, or by its "
      "price.\n\n"
      "  modicum plan when --energy 10kWh --duration 4h --deadline 24h \\\n"
      "    --series PL.csv\n"
      "  modicum plan when --energy 10kWh --duration 4h --deadline 24h \\\n"
      "    --by money --tariff-file tariff.toml",
      "modicum plan when");
  app.add_option("--energy", flags.energy, "of the machines, before PUE: 10kWh")
      ->required();
  app.add_option("--duration", flags.duration, "how long it runs: 4h")
      ->required();
  app.add_option("--deadline", flags.deadline, "when it must have ended: 24h")
      ->required();
  app.add_option("--series", flags.series,
                 "CSV: time and gco2e_per_kwh, or of Electricity Maps; or a "
                 "service: uk, electricitymaps:ZONE, watttime:REGION");
  app.add_option("--by", flags.by,
                 "carbon or money; the latter by --tariff-file [carbon]")
      ->check(CLI::IsMember({"carbon", "money"}));
  AddText(app, "--now", flags.now,
          "plan from this time on: 2026-03-29T02:00+01:00 [now]");
  app.add_option("--top", flags.top, "rows; 0: all [10]")
      ->check(CLI::Range(0, 100'000));
  AddFormatFlag(app, format);
  if (const auto code = ParseArgs(app, args)) return *code;
  const auto query = QueryOf(context, flags);
  if (!query) return UsageError(query.error());
  if (const Status what = CheckWhat(context, flags); !what)
    return UsageError(what.error());
  const auto series = ReadWhenSeries(context, flags);
  if (!series && series.error().code != ErrorCode::kInvalidInput)
    return Fail(series.error());
  if (!series) return UsageError(series.error());
  if (flags.by == "carbon")
    return PrintPlanOrError(PlanWindows(*query, **series), format);
  MODICUM_TRY(const Tariff tariff, Tariff::Read(context.settings.tariff_file));
  return PrintPlanOrError(
      PlanPrices(*query, tariff, *series ? &**series : nullptr), format);
}

}  // namespace modicum
