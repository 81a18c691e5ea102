// SPDX-License-Identifier: Apache-2.0
#include "meter/instruments.h"

#include "hardware/calibration.h"
#include "hardware/machine.h"
#include "meter/slicing_meter.h"
#include "probe/probe.h"

namespace modicum {

Result<Instruments> OpenInstruments(const Settings& settings,
                                    const PlaceQuery& place, const RootFs& fs,
                                    Clock& clock, bool stamps,
                                    const std::function<Status()>& opened) {
  Instruments instruments;
  MODICUM_TRY(instruments.place, FindPlace(place));
  if (!place.tariff_file.empty()) {
    MODICUM_TRY(instruments.tariff, Tariff::Read(place.tariff_file));
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
  if (instruments.tariff)
    instruments.meter = std::make_unique<SlicingMeter>(
        std::move(instruments.meter), clock,
        [tariff = *instruments.tariff](WallTime time) {
          return tariff.NextEdge(time);
        });
  return instruments;
}

}  // namespace modicum
