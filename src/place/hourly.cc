// SPDX-License-Identifier: Apache-2.0
#include "place/hourly.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace modicum {
namespace {

constexpr int64_t kSecondMicros = 1'000'000;

}  // namespace

WallTime Hourly::NextEdge(WallTime time) const {
  WallTime edge = {std::numeric_limits<int64_t>::max()};
  if (tariff) edge = tariff->NextEdge(time);
  if (intensity) edge = std::min(edge, intensity->NextEdge(time));
  return edge;
}

bool Hourly::SameAt(WallTime a, WallTime b) const {
  return (!tariff || &tariff->At(a) == &tariff->At(b)) &&
         (!intensity || intensity->SameAt(a, b));
}

void AddSlice(const Hourly& hourly, const EnergySlice& slice,
              std::vector<EnergySlice>& slices) {
  if (slices.empty()) return slices.push_back(slice);
  EnergySlice& last = slices.back();
  const bool follows =
      std::abs(slice.began.micros - last.end().micros) < kSecondMicros;
  const WallTime last_moment = {slice.end().micros - 1};
  if (!follows || !hourly.SameAt(last.began, last_moment))
    return slices.push_back(slice);
  last.wall = Seconds(
      static_cast<double>(slice.end().micros - last.began.micros) / 1e6);
  last.energy += slice.energy;
}

}  // namespace modicum
