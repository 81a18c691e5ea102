// SPDX-License-Identifier: Apache-2.0
// Energy with the time at which it was used: what prices and intensities that
// go by the hour are paid for.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/units.h"

namespace modicum {

// What was used in a stretch of time.
struct EnergySlice {
  WallTime began;
  Seconds wall;
  Joules energy;
  WallTime end() const { return began + wall; }
};

// Shares of the whole, together 1: of the energy, or of the time where no
// energy was used.
std::vector<double> SharesOf(std::span<const EnergySlice> slices);

// Whether a slice is in one hour, when `main` of its time is in that: an end
// that is read a little late puts no energy in doubt.
bool InOneHour(const EnergySlice& slice, double main);

}  // namespace modicum
