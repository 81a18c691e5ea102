// SPDX-License-Identifier: Apache-2.0
#include "model/feature_selection.h"

#include <algorithm>
#include <numeric>

#include "model/linear_weights.h"

namespace modicum {

namespace {

// One pass over the documents of each class: memory for one count per
// n-gram, however many classes there are.
std::vector<double> Scores(const std::vector<Document>& documents,
                           std::span<const uint32_t> classes,
                           uint32_t class_count,
                           const std::vector<HashCount>& vocabulary) {
  std::vector<uint32_t> hashes;
  for (const HashCount& entry : vocabulary) hashes.push_back(entry.hash);
  const HashIndex index(hashes);
  const auto all = static_cast<double>(documents.size());
  std::vector<double> best(vocabulary.size());
  std::vector<uint32_t> with(vocabulary.size());
  for (uint32_t target = 0; target < class_count; ++target) {
    std::fill(with.begin(), with.end(), 0);
    double in_class = 0;
    for (size_t i = 0; i < documents.size(); ++i) {
      if (classes[i] != target) continue;
      ++in_class;
      for (const HashCount& term : documents[i]) {
        const uint32_t feature = index.Find(term.hash);
        if (feature != HashIndex::kAbsent) ++with[feature];
      }
    }
    for (size_t f = 0; f < best.size(); ++f) {
      const double a = with[f];
      const double b = vocabulary[f].count - a;
      const double c = in_class - a;
      best[f] = std::max(best[f], ChiSquared(a, b, c, all - a - b - c));
    }
  }
  return best;
}

}  // namespace

double ChiSquared(double a, double b, double c, double d) {
  const double product = (a + c) * (b + d) * (a + b) * (c + d);
  if (product == 0) return 0;
  const double difference = a * d - c * b;
  return (a + b + c + d) * difference * difference / product;
}

std::vector<HashCount> SelectByChiSquared(
    const std::vector<Document>& documents, std::span<const uint32_t> classes,
    uint32_t class_count, const std::vector<HashCount>& vocabulary,
    size_t keep) {
  if (keep >= vocabulary.size()) return vocabulary;
  const std::vector<double> scores =
      Scores(documents, classes, class_count, vocabulary);
  std::vector<uint32_t> order(vocabulary.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  });
  order.resize(keep);
  std::sort(order.begin(), order.end());
  std::vector<HashCount> kept;
  for (const uint32_t at : order) kept.push_back(vocabulary[at]);
  return kept;
}

}  // namespace modicum
