// SPDX-License-Identifier: Apache-2.0
// The grid's average intensity hour by hour, as bills go by it.
#pragma once

#include <span>
#include <string>

#include "base/clock.h"
#include "base/estimate.h"
#include "base/result.h"
#include "place/energy_slices.h"
#include "place/intensity_series.h"
#include "record/types.h"

namespace modicum {

// Thread-safe.
class HourlyIntensity {
 public:
  // `series` names a file or a service, whose answers are kept under `folder`.
  static Result<HourlyIntensity> Read(const std::string& series,
                                      const std::string& folder, Clock& clock);
  // kInvalidInput for a marginal series: nobody is charged with it.
  static Result<HourlyIntensity> Of(IntensitySeries series, std::string name);

  // When its hour ends; of a time that it does not cover, when it begins.
  WallTime NextEdge(WallTime time) const { return series_.NextEdge(time); }
  bool SameAt(WallTime a, WallTime b) const {
    return series_.At(a) == series_.At(b);
  }

  struct Paid {
    PaidIntensity figures;
    // Errors: an hour's, the series' as a whole, and how far off a slice of
    // several hours may be, which is split by time.
    Estimate<GramsPerKilowattHour> mean;
    // The series, with the mean of its hours; absent where none was used.
    std::optional<Factor> factor;
  };
  // What `slices` met; `average` stands in where the series has no figure.
  Paid PaidFor(std::span<const EnergySlice> slices,
               const Estimate<GramsPerKilowattHour>& average) const;
  const IntensitySeries& series() const { return series_; }
  // "" or that a service's answer is not fresh, and why.
  const std::string& note() const { return note_; }

 private:
  HourlyIntensity(IntensitySeries series, std::string name)
      : series_(std::move(series)), name_(std::move(name)) {}
  Factor FactorOf(GramsPerKilowattHour mean) const;

  IntensitySeries series_;
  std::string name_, note_;
};

}  // namespace modicum
