// SPDX-License-Identifier: Apache-2.0
// Stars, by two rules that are always named, and only among rows of one
// workload and one scope.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "record/bench_result.h"

namespace modicum {

// Fewer rows than this tell nothing by fifths: no stars are given.
inline constexpr size_t kLeastForStars = 5;

// 5 to 1. The range from the least energy of the set to the most is cut into
// five equal bands; what lies outside has the stars of the nearest.
int EqualWidthStars(double joules, std::span<const double> set);
// 5 to 1. The 20 % of the set that need least have five stars, the next 20 %
// four; equal energies have equal stars.
int QuintileStars(double joules, std::span<const double> set);

// What rows are rated among.
struct StarReference {
  std::vector<BenchRow> rows;
  std::string name;  // "reference old.json"
};

// SHA-256 of the rows, one line "JOULES\tMODEL\tMACHINE" each, sorted: the
// joules per 1,000 in their shortest form. `sort | sha256sum` gives the same.
std::string StarSetHash(std::span<const BenchRow* const> rows);

// Gives every measured row its stars among `reference`'s rows, or among the
// result's own, or says why it has none; fills star_sets and the note on
// published rows. Pure: rating twice changes nothing.
void RateRows(BenchResult& result, const StarReference* reference);

}  // namespace modicum
