// SPDX-License-Identifier: Apache-2.0
#include "place/energy_slices.h"

#include <algorithm>

namespace modicum {
namespace {

constexpr Seconds kLate(2);

}  // namespace

std::vector<double> SharesOf(std::span<const EnergySlice> slices) {
  Joules total;
  for (const EnergySlice& slice : slices)
    total += std::max(Joules(0), slice.energy);
  std::vector<double> shares;
  double sum = 0;
  for (const EnergySlice& slice : slices) {
    shares.push_back(total > Joules(0) ? std::max(0.0, slice.energy.value())
                                       : slice.wall.value());
    sum += shares.back();
  }
  for (double& share : shares)
    share = sum > 0 ? share / sum : 1 / static_cast<double>(shares.size());
  return shares;
}

bool InOneHour(const EnergySlice& slice, double main) {
  return slice.wall * (1 - main) <= kLate;
}

}  // namespace modicum
