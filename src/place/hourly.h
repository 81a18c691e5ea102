// SPDX-License-Identifier: Apache-2.0
// What of a place changes with the hour, and where energy is cut for it.
#pragma once

#include <optional>
#include <vector>

#include "place/hourly_intensity.h"
#include "place/tariff.h"

namespace modicum {

struct Hourly {
  std::optional<Tariff> tariff;
  std::optional<HourlyIntensity> intensity;

  bool any() const { return tariff || intensity; }
  // The first moment after `time` at which one of them may change.
  WallTime NextEdge(WallTime time) const;
  // Whether all of them are the same at both.
  bool SameAt(WallTime a, WallTime b) const;
};

// Appends `slice`, or lengthens the last one where it goes on and nothing
// changed meanwhile.
void AddSlice(const Hourly& hourly, const EnergySlice& slice,
              std::vector<EnergySlice>& slices);

}  // namespace modicum
