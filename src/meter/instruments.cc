// SPDX-License-Identifier: Apache-2.0
#include "meter/instruments.h"

#include "hardware/calibration.h"
#include "hardware/machine.h"
#include "meter/slicing_meter.h"
#include "probe/probe.h"

namespace modicum {

Place Instruments::PlaceIn(std::span<const EnergySlice> slices) const {
  Place then = place;
  if (hourly.intensity)
    then.intensity = hourly.intensity->PaidFor(slices, place.intensity).mean;
  return then;
}

Result<Instruments> OpenInstruments(const Settings& settings,
                                    const PlaceQuery& place, const RootFs& fs,
                                    Clock& clock, bool stamps,
                                    const std::function<Status()>& opened) {
  Instruments instruments;
  MODICUM_TRY(instruments.place, FindPlace(place));
  if (!place.tariff_file.empty()) {
    MODICUM_TRY(instruments.hourly.tariff, Tariff::Read(place.tariff_file));
  }
  if (!place.intensity_file.empty()) {
    MODICUM_TRY(
        instruments.hourly.intensity,
        HourlyIntensity::Read(place.intensity_file, settings.data_dir, clock));
  }
  MODICUM_TRY(const IdlePolicy policy, ParseIdlePolicy(settings.idle_policy));
  instruments.host = DetectHost(fs);
  MODICUM_TRY(
      const auto calibration,
      ReadCalibration(settings.calibration, CalibrationKey(instruments.host)));
  MODICUM_TRY(auto probes, OpenProbes({fs,
                                       instruments.host,
                                       clock.Now(),
                                       calibration,
                                       {},
                                       settings.modelled},
                                      settings.probe));
  if (opened) MODICUM_RETURN_IF_ERROR(opened());
  const MeterOptions options{Seconds(1 / settings.sample_hz), policy, stamps};
  MODICUM_TRY(instruments.meter, Meter::Open(options, std::move(probes), fs,
                                             instruments.host, clock));
  if (instruments.hourly.any())
    instruments.meter = std::make_unique<SlicingMeter>(
        std::move(instruments.meter), clock,
        [hourly = instruments.hourly](WallTime time) {
          return hourly.NextEdge(time);
        });
  return instruments;
}

}  // namespace modicum
