// SPDX-License-Identifier: Apache-2.0
// What every metering command stands on: host, place and meter, as the
// settings want them.
#pragma once

#include <memory>

#include "base/result.h"
#include "cli/command.h"
#include "meter/meter.h"
#include "place/place.h"
#include "record/types.h"

namespace modicum {

struct Instruments {
  HostFacts host;
  Place place;
  std::unique_ptr<Meter> meter;

  // `reading` priced here.
  Bill BillOf(const WindowReading& reading) const {
    return MakeBill(reading, place, host, meter->components());
  }
};

// Errors are those of the settings and of a machine without any probe.
Result<Instruments> OpenInstruments(const Context& context,
                                    const PlaceQuery& place);

}  // namespace modicum
