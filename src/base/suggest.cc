// SPDX-License-Identifier: Apache-2.0
#include "base/suggest.h"

#include <algorithm>
#include <vector>

namespace modicum {
namespace {

// Damerau-Levenshtein distance in its restricted form (no substring is edited
// twice): insert, delete, replace, swap two neighbours. Counted in bytes.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1);  // row i - 2
  std::vector<size_t> above(b.size() + 1);   // row i - 1
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

}  // namespace

std::string Nearest(std::string_view word,
                    std::span<const std::string_view> candidates) {
  if (word.empty()) return "";
  size_t allowed = std::max<size_t>(1, word.size() / 3);
  std::string_view nearest;
  for (const std::string_view candidate : candidates) {
    // The length difference is a lower bound, so a huge word costs nothing.
    if (candidate.size() > word.size() + allowed ||
        word.size() > candidate.size() + allowed)
      continue;
    const size_t distance = Distance(word, candidate);
    if (distance > allowed || (distance == allowed && !nearest.empty()))
      continue;
    nearest = candidate;
    allowed = distance;
  }
  return std::string(nearest);
}

std::string DidYouMean(std::string_view word,
                       std::span<const std::string_view> candidates) {
  const std::string nearest = Nearest(word, candidates);
  return nearest.empty() ? "" : ", did you mean '" + nearest + "'?";
}

}  // namespace modicum
