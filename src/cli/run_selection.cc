// SPDX-License-Identifier: Apache-2.0
#include "cli/run_selection.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "base/key_value.h"
#include "base/suggest.h"
#include "record/start_run.h"

namespace modicum {
namespace {

Result<WallTime> ParseDate(const std::string& text) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  char end = 0;
  const int count = std::sscanf(text.c_str(), "%4d-%2u-%2uT%2u:%2u%c", &year,
                                &month, &day, &hour, &minute, &end);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(month),
                                         std::chrono::day(day)};
  const bool whole =
      (count == 3 && text.size() == 10) || (count == 5 && text.size() == 16);
  if (!whole || !date.ok() || hour > 23 || minute > 59)
    return Fail(ErrorCode::kInvalidInput,
                "--since '" + text + "' is not a date",
                "write it as 2026-01-31 or 2026-01-31T18:00, in UTC");
  const std::chrono::sys_time<std::chrono::microseconds> time =
      std::chrono::sys_days(date) + std::chrono::hours(hour) +
      std::chrono::minutes(minute);
  return WallTime{time.time_since_epoch().count()};
}

std::string JoinKinds() {
  return fmt::format("{}", fmt::join(kRunKinds, ", "));
}

Status CheckKind(const std::string& kind) {
  if (kind.empty() || std::ranges::find(kRunKinds, kind) != std::end(kRunKinds))
    return {};
  return Fail(
      ErrorCode::kInvalidInput,
      fmt::format("--kind: unknown '{}'{}", kind, DidYouMean(kind, kRunKinds)),
      "the kinds are " + JoinKinds());
}

}  // namespace

void AddRunSelection(CLI::App& app, RunSelection& selection) {
  app.add_option("--kind", selection.kind, "Only one kind: " + JoinKinds());
  app.add_option("--tag", selection.tags, "Only runs with this tag: KEY=VALUE")
      ->allow_extra_args(false);
  app.add_option("--since", selection.since,
                 "Only runs started since, in UTC: 2026-01-31 or "
                 "2026-01-31T18:00");
}

Result<RunFilter> FilterOf(const RunSelection& selection,
                           const Settings& settings) {
  MODICUM_RETURN_IF_ERROR(CheckKind(selection.kind));
  RunFilter filter;
  filter.kind = selection.kind;
  // The configured project names new runs; only an explicit flag restricts.
  const auto origin = settings.origins.find("project");
  if (origin != settings.origins.end() && origin->second.starts_with("flag"))
    filter.project = settings.project;
  for (const std::string& tag : selection.tags) {
    auto split = ParseKeyValue(tag);
    if (!split)
      return Fail(ErrorCode::kInvalidInput,
                  "--tag '" + tag + "' is not KEY=VALUE",
                  "for example --tag team=search");
    filter.tags[std::move(split->first)] = std::move(split->second);
  }
  if (!selection.since.empty()) {
    MODICUM_TRY(filter.since, ParseDate(selection.since));
  }
  return filter;
}

std::string SelectionText(const RunSelection& selection,
                          const RunFilter& filter) {
  std::string text;
  const auto add = [&text](const std::string& part) {
    text += (text.empty() ? "" : ", ") + part;
  };
  if (!filter.kind.empty()) add("kind " + filter.kind);
  if (!filter.project.empty()) add("project " + filter.project);
  for (const std::string& tag : selection.tags) add("tag " + tag);
  if (!selection.since.empty()) add("since " + selection.since);
  return text;
}

Result<std::vector<Run>> SelectedRuns(const std::string& path,
                                      const RunFilter& filter) {
  if (access(path.c_str(), F_OK) != 0) return std::vector<Run>{};
  MODICUM_TRY(const auto ledger, Ledger::Open(path));
  return ledger->Runs(filter);
}

}  // namespace modicum
