// SPDX-License-Identifier: Apache-2.0
// What everything that meters stands on: host, place and meter, as the settings
// want them.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "base/clock.h"
#include "base/result.h"
#include "base/root_fs.h"
#include "base/settings.h"
#include "meter/meter.h"
#include "place/hourly.h"
#include "place/place.h"
#include "record/types.h"

namespace modicum {

struct Instruments {
  HostFacts host;
  Place place;
  Hourly hourly;  // prices and intensities by the hour, where there are any
  std::unique_ptr<Meter> meter;

  // The place in the hours of `slices`.
  Place PlaceIn(std::span<const EnergySlice> slices) const;
  // `reading` priced here.
  Bill BillOf(const WindowReading& reading) const {
    return MakeBill(reading, place, host, meter->components(), hourly);
  }
};

// Errors are those of the settings and of a machine without any probe.
// `stamps`: see MeterOptions. `opened` is called when every source is open and
// no thread reads them yet; where it fails, so does this.
// Lifetime: `fs` and `clock` outlive the meter.
Result<Instruments> OpenInstruments(const Settings& settings,
                                    const PlaceQuery& place, const RootFs& fs,
                                    Clock& clock, bool stamps = false,
                                    const std::function<Status()>& opened = {});

}  // namespace modicum
