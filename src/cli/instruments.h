// SPDX-License-Identifier: Apache-2.0
// The instruments of a metering command.
#pragma once

#include "cli/command.h"
#include "meter/instruments.h"

namespace modicum {

inline Result<Instruments> OpenInstruments(const Context& context,
                                           const PlaceQuery& place) {
  return OpenInstruments(context.settings, place, context.fs, context.clock);
}

}  // namespace modicum
