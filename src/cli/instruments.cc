// SPDX-License-Identifier: Apache-2.0
#include "cli/instruments.h"

#include "hardware/machine.h"
#include "probe/probe.h"

namespace modicum {

Result<Instruments> OpenInstruments(const Context& context,
                                    const PlaceQuery& place) {
  const Settings& settings = context.settings;
  Instruments instruments;
  MODICUM_TRY(instruments.place, FindPlace(place));
  MODICUM_TRY(const IdlePolicy policy, ParseIdlePolicy(settings.idle_policy));
  instruments.host = DetectHost(context.fs);
  MODICUM_TRY(auto probes, OpenProbes(context.fs, instruments.host,
                                      settings.probe, context.clock.Now()));
  const MeterOptions options{Seconds(1 / settings.sample_hz), policy};
  MODICUM_TRY(instruments.meter,
              Meter::Open(options, std::move(probes), context.fs,
                          instruments.host, context.clock));
  return instruments;
}

}  // namespace modicum
