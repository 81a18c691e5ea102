// SPDX-License-Identifier: Apache-2.0
// The program's side: the module opened, its answers kept.
#include "place/grid_service.h"

#include <fmt/format.h>

#include "base/environment.h"
#include "base/file.h"
#include "base/format.h"
#include "base/hash.h"
#include "base/module_library.h"
#include "place/intensity_series.h"

namespace modicum {
namespace {

// Services renew their forecasts every half hour or hour.
constexpr int64_t kFresh = 30 * 60 * int64_t{1'000'000};

constexpr std::string_view kUk = "uk";
constexpr std::string_view kWithZones[] = {"electricitymaps", "watttime"};

Result<std::string> Ask(const GridQuery& query) {
  MODICUM_TRY(const ModuleLibrary library,
              ModuleLibrary::Open("grid", ModuleFolders(),
                                  "it asks services for their forecasts"));
  MODICUM_RETURN_IF_ERROR(library.CheckBuild(
      "modicum_grid_abi", kGridAbi, "a modicum reader of carbon services"));
  const auto ask = library.Symbol<AskGridFunction>("modicum_grid");
  if (ask == nullptr)
    return Fail(ErrorCode::kUnavailable,
                library.path() + " is not a modicum reader of carbon services",
                kModuleCure);
  return ask(query);
}

// What was kept, behind a comment with the time at which it was asked for.
struct Kept {
  WallTime asked;
  std::string csv;
};

std::string KeptPath(const GridQuery& query, const std::string& folder) {
  const std::string what =
      query.service + "\n" + query.zone + "\n" + query.base_url;
  return folder + "/grid/" + ToHex(Sha256Of(what)).substr(0, 16) + ".csv";
}

std::optional<Kept> ReadKept(const std::string& path) {
  const auto text = ReadFile(path);
  if (!text) return std::nullopt;
  const size_t end = text->find('\n');
  if (!text->starts_with("# ") || end == std::string::npos) return std::nullopt;
  const auto asked =
      ParseTime(std::string_view(*text).substr(2, end - 2), false);
  if (!asked) return std::nullopt;
  return Kept{*asked, text->substr(end + 1)};
}

// Whether `csv` is a series that covers `now`.
bool Covers(const std::string& csv, WallTime now) {
  const auto series = IntensitySeries::Parse(csv, "kept");
  return series && series->begin() <= now && now < series->end();
}

}  // namespace

std::optional<GridQuery> ParseGridQuery(std::string_view series) {
  if (series == kUk) return GridQuery{.service = std::string(kUk)};
  for (const std::string_view service : kWithZones)
    if (series.starts_with(service) && series.size() > service.size() + 1 &&
        series[service.size()] == ':')
      return GridQuery{.service = std::string(service),
                       .zone = std::string(series.substr(service.size() + 1))};
  return std::nullopt;
}

Result<GridSeries> FetchGridSeries(const GridQuery& query,
                                   const std::string& folder) {
  const std::string path = KeptPath(query, folder);
  auto kept = ReadKept(path);
  if (kept && !Covers(kept->csv, query.now)) kept.reset();
  const int64_t age = kept ? query.now.micros - kept->asked.micros : kFresh + 1;
  if (kept && age >= 0 && age <= kFresh) return GridSeries{kept->csv, ""};
  auto csv = Ask(query);
  if (!csv) {
    if (!kept || csv.error().code == ErrorCode::kPermission)
      return Fail(std::move(csv).error());
    return GridSeries{std::move(kept->csv),
                      fmt::format("{}; goes by its forecast of {} until the "
                                  "next command asks it again",
                                  csv.error().message, FormatUtc(kept->asked))};
  }
  // A cache that cannot be written is asked for again.
  static_cast<void>(WriteFileAtomically(
      path, fmt::format("# {}\n{}", FormatUtc(query.now), *csv)));
  return GridSeries{*std::move(csv), ""};
}

Result<GridSeries> ReadSeriesText(const std::string& series,
                                  const std::string& folder, Clock& clock) {
  auto query = ParseGridQuery(series);
  if (!query) {
    auto text = ReadFile(series);
    if (!text && text.error().code == ErrorCode::kNotFound)
      text.error().hint =
          "name a CSV file of times and intensities, or a service: uk, "
          "electricitymaps:ZONE, watttime:REGION";
    if (!text) return Fail(std::move(text).error());
    return GridSeries{*std::move(text), ""};
  }
  query->now = clock.WallNow();
  query->environment = EnvironmentText;
  // For tests, and for who must ask through a server of their own.
  query->base_url = query->environment("MODICUM_GRID_URL").value_or("");
  return FetchGridSeries(*query, folder);
}

}  // namespace modicum
