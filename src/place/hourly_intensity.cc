// SPDX-License-Identifier: Apache-2.0
#include "place/hourly_intensity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "place/grid_service.h"

namespace modicum {
namespace {

// The part of a slice that is in one hour.
struct Hour {
  GramsPerKilowattHour grams;
  double share = 0;  // of the slice's time
  bool outside = false;
};

std::vector<Hour> HoursOf(const IntensitySeries& series,
                          const EnergySlice& slice,
                          GramsPerKilowattHour average) {
  std::vector<Hour> hours;
  const int64_t end = slice.end().micros;
  const auto whole = static_cast<double>(end - slice.began.micros);
  int64_t at = slice.began.micros;
  do {
    const int64_t next = std::min(series.NextEdge({at}).micros, end);
    const auto grams = series.At({at});
    hours.push_back({grams ? GramsPerKilowattHour(grams->value()) : average,
                     whole > 0 ? static_cast<double>(next - at) / whole : 1,
                     !grams});
    at = next;
  } while (at < end);
  return hours;
}

// In g/kWh, over the time.
double SdOf(const std::vector<Hour>& hours) {
  GramsPerKilowattHour mean;
  for (const Hour& hour : hours) mean += hour.grams * hour.share;
  double variance = 0;
  for (const Hour& hour : hours)
    variance += hour.share * std::pow((hour.grams - mean).value(), 2);
  return std::sqrt(variance);
}

void Widen(PaidIntensity& range, GramsPerKilowattHour grams) {
  const bool first = range.high == GramsPerKilowattHour(0);
  range.low = first ? grams : std::min(range.low, grams);
  range.high = std::max(range.high, grams);
}

}  // namespace

Result<HourlyIntensity> HourlyIntensity::Read(const std::string& series,
                                              const std::string& folder,
                                              Clock& clock) {
  MODICUM_TRY(GridSeries text, ReadSeriesText(series, folder, clock));
  MODICUM_TRY(IntensitySeries steps, IntensitySeries::Parse(text.csv, series));
  MODICUM_TRY(HourlyIntensity hourly, Of(std::move(steps), series));
  hourly.note_ = std::move(text.note);
  return hourly;
}

Result<HourlyIntensity> HourlyIntensity::Of(IntensitySeries series,
                                            std::string name) {
  if (series.kind() == IntensityKind::kMarginal)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: '{}' is marginal: it says what one kWh more "
                            "emits, and charges nobody",
                            name, series.column()),
                "a bill goes by the grid's average in its hours; a marginal "
                "series ranks hours: `modicum plan when --series FILE`");
  return HourlyIntensity(std::move(series), std::move(name));
}

HourlyIntensity::Paid HourlyIntensity::PaidFor(
    std::span<const EnergySlice> slices,
    const Estimate<GramsPerKilowattHour>& average) const {
  Paid paid;
  PaidIntensity& figures = paid.figures;
  GramsPerKilowattHour known;  // of the mean, by the series
  double covered = 0, hours_sd = 0, by_time_sd = 0;
  const std::vector<double> shares = SharesOf(slices);
  for (size_t i = 0; i < slices.size(); ++i) {
    const std::vector<Hour> hours = HoursOf(series_, slices[i], average.mid);
    const double sd = SdOf(hours);
    double main = 0;
    for (const Hour& hour : hours) {
      main = std::max(main, hour.share);
      const double part = shares[i] * hour.share;
      if (part <= 0) continue;
      Widen(figures, hour.grams);
      figures.mean += hour.grams * part;
      (hour.outside ? figures.outside : covered) += part;
      if (hour.outside) continue;
      known += hour.grams * part;
      hours_sd = std::hypot(hours_sd, kHourSd * part * hour.grams.value());
    }
    if (InOneHour(slices[i], main)) continue;
    figures.by_time += shares[i];
    by_time_sd += shares[i] * sd;
  }
  paid.mean = Exactly(known, Origin::kModelled, Scope::kWall)
                  .WithShared(InternSource("grid intensity series: " + name_),
                              kFactorsSd);
  paid.mean.own_sd = std::hypot(hours_sd, by_time_sd);
  if (covered > 0) paid.factor = FactorOf(known / covered);
  if (figures.outside > 0) paid.mean = paid.mean + average * figures.outside;
  return paid;
}

Factor HourlyIntensity::FactorOf(GramsPerKilowattHour mean) const {
  return {"grid intensity by the hour, mean of the energy", mean.value(),
          "gCO2e/kWh",
          fmt::format("{}, {}, {}", name_, series_.column(), series_.basis()),
          fmt::format("{} to {}", FormatUtc(series_.begin()),
                      FormatUtc(series_.end()))};
}

}  // namespace modicum
