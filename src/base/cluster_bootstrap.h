// SPDX-License-Identifier: Apache-2.0
// For tests: the plain cluster bootstrap, which the closed forms of
// base/statistics.h must agree with.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/rng.h"
#include "base/statistics.h"

namespace modicum {

// Percentile interval of a statistic by resampling whole clusters (Davison &
// Hinkley 1997, 3.8). `clusters[i]` is item i's cluster; `statistic` gets the
// item indices of one resample, with repeats; a NaN from it is left out.
// Deterministic in `seed`. One cluster alone tells nothing: [-inf, inf].
inline Interval ClusterBootstrap(
    std::span<const uint64_t> clusters,
    const std::function<double(std::span<const uint32_t>)>& statistic,
    double confidence, int resamples, uint64_t seed) {
  MODICUM_CHECK(!clusters.empty() && resamples > 0);
  std::vector<std::vector<uint32_t>> groups;
  std::unordered_map<uint64_t, size_t> index;
  for (size_t i = 0; i < clusters.size(); ++i) {
    const auto [it, added] = index.try_emplace(clusters[i], groups.size());
    if (added) groups.emplace_back();
    groups[it->second].push_back(static_cast<uint32_t>(i));
  }
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (groups.size() == 1) return {-kInfinity, kInfinity};
  Rng rng(seed);
  std::vector<uint32_t> items;
  std::vector<double> values;
  for (int r = 0; r < resamples; ++r) {
    items.clear();
    for (size_t i = 0; i < groups.size(); ++i) {
      const auto& group =
          groups[rng.Below(static_cast<uint32_t>(groups.size()))];
      items.insert(items.end(), group.begin(), group.end());
    }
    // Some statistics do not exist for every resample (F1 without positives).
    const double value = statistic(items);
    if (value == value) values.push_back(value);
  }
  const double tail = (1 - confidence) / 2;
  return {Quantile(values, tail), Quantile(values, 1 - tail)};
}

}  // namespace modicum
