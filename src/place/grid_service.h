// SPDX-License-Identifier: Apache-2.0
// Series of average carbon intensity from services on the network. Asking them
// is in a module, libmodicum-grid.so.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace modicum {

// "uk", "electricitymaps:DE", "watttime:CAISO_NORTH".
struct GridQuery {
  std::string service;
  std::string zone = {};  // "" of uk
  // The service's own when empty; else where it is asked instead.
  std::string base_url = {};
  // A variable of the environment: keys and passwords.
  std::function<std::optional<std::string>(const std::string&)> environment =
      {};
  WallTime now = {};
  // An answer that is not whole by then is none.
  Seconds patience{10};
};

// A file's name gives nullopt: whatever names no service.
std::optional<GridQuery> ParseGridQuery(std::string_view series);

struct GridSeries {
  std::string csv;   // as IntensitySeries::Parse reads it
  std::string note;  // "" or that it is not fresh, and why
};

// A forecast, kept under `folder` for half an hour. Where the service cannot be
// asked, what was kept is used as long as it still covers `query.now`, and the
// note says so. Errors name the service: kPermission for a key that is missing
// or refused, kRetry for one that cannot be reached, kInvalidInput for an
// answer that is none.
Result<GridSeries> FetchGridSeries(const GridQuery& query,
                                   const std::string& folder);

// What the module exports, as "modicum_grid", with kGridAbi as
// "modicum_grid_abi": the service's answer as CSV.
using AskGridFunction = Result<std::string> (*)(const GridQuery&);
inline constexpr char kGridAbi[] = "modicum-grid 2, " __VERSION__;

// Where the series named by `series` comes from: a service, or the file.
Result<GridSeries> ReadSeriesText(const std::string& series,
                                  const std::string& folder, Clock& clock);

}  // namespace modicum
