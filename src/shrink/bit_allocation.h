// SPDX-License-Identifier: Apache-2.0
// Bits for each group of a network's tensors: the cheapest choice whose
// damage, summed over the groups, stays within a bound. A multiple-choice
// knapsack.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace modicum {

// One group in one type: what a token costs in it and what it does to the
// predictions. Any units, of which sums mean something; damage is not negative.
struct BitOption {
  double cost = 0;
  double damage = 0;
};

// One group's options, at least one.
using BitOptions = std::vector<BitOption>;

// For each group the index of its option; nullopt when the least damage is
// more than `bound`. Exact while no more than kBitFront choices are
// undominated, which ten groups of six types rarely have; beyond that, within
// a thousandth of the range of costs for each group.
std::optional<std::vector<size_t>> AllocateBits(
    std::span<const BitOptions> groups, double bound);

inline constexpr size_t kBitFront = 4096;

}  // namespace modicum
