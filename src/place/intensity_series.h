// SPDX-License-Identifier: Apache-2.0
// Carbon intensity hour by hour, from a CSV file, and the means of windows in
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/units.h"

namespace modicum {

// "2026-03-29T02:00:00+01:00", also with a space, without seconds, with 'Z'.
// Without an offset only where `assume_utc`: summer time would make a local
// hour come twice. kInvalidInput.
Result<WallTime> ParseTime(std::string_view text, bool assume_utc);

inline constexpr size_t kLargestSeriesFile = 32 << 20;

// What a kilowatt-hour is charged with, the mean of all plants; or what one
// kilowatt-hour more would emit, by the plants that answer to it.
enum class IntensityKind { kAverage, kMarginal };

// Of one series, of the kind that it is: compared within it. No energy takes
// it: HourlyIntensity makes averages of it that bills go by.
struct SeriesIntensityTag {
  static constexpr std::string_view kUnit = "gCO2e/kWh";
};
using SeriesIntensity = Quantity<SeriesIntensityTag>;

// An hour of a series against what that hour will be (forecast, or the same
// hour of another day); and the series' emission factors, losses and trade,
// which all its hours share. Assumed, relative: no series states its errors.
inline constexpr double kHourSd = 0.1;
inline constexpr double kFactorsSd = 0.15;

class IntensitySeries {
 public:
  // A header line, a column of times at which a step begins (time, datetime,
  // "Datetime (UTC)", ...) and one of grams per kWh (gco2e_per_kwh, "Carbon
  // intensity gCO2eq/kWh (Life cycle)", ...; life cycle before direct), as
  // Electricity Maps has them; a marginal one where there is no average. Steps
  // are even and grow; a missing or an empty one is a gap. kInvalidInput names
  // file and line: a time without an offset, twice or out of order; an
  // intensity of 0, or another unit; several zones; steps of less than a minute
  // or more than three hours.
  static Result<IntensitySeries> Parse(std::string_view csv,
                                       std::string_view name);

  WallTime begin() const { return steps_.front().begin; }
  WallTime end() const;
  Seconds step() const;
  size_t missing() const { return missing_; }      // steps
  size_t estimated() const { return estimated_; }  // said to be, by the source
  const std::string& column() const { return column_; }
  IntensityKind kind() const { return kind_; }
  // "life-cycle", "direct" or that its column does not say.
  std::string_view basis() const;

  // Over time; nullopt where a part of it is not in the series.
  std::optional<SeriesIntensity> MeanOver(WallTime from,
                                          Seconds duration) const;
  // nullopt in a gap and outside.
  std::optional<SeriesIntensity> At(WallTime time) const;
  // The end of its step; outside of the series its begin, or never.
  WallTime NextEdge(WallTime time) const;

 private:
  struct Step {
    WallTime begin;
    double grams = 0;            // per kWh
    int64_t covered_before = 0;  // microseconds of steps before it
    double integral_before = 0;  // grams per kWh times these
  };
  struct Integral {
    int64_t covered = 0;
    double grams = 0;
  };
  Integral UpTo(WallTime time) const;

  std::vector<Step> steps_;
  int64_t step_micros_ = 0;
  size_t missing_ = 0;
  size_t estimated_ = 0;
  std::string column_;
  IntensityKind kind_ = IntensityKind::kAverage;
};

struct StartWindow {
  WallTime start;
  SeriesIntensity mean;
};

// Starts of a job of `duration` that ends within `deadline` of `now`: at once
// and at each step that begins later. The least mean first, the earlier among
// equals; windows that touch a gap are left out. kInvalidInput: the deadline
// is shorter than the job, or the series does not cover any window.
Result<std::vector<StartWindow>> StartWindows(const IntensitySeries& series,
                                              WallTime now, Seconds duration,
                                              Seconds deadline);

}  // namespace modicum
