// SPDX-License-Identifier: Apache-2.0
// Texts as counts of hashed n-grams, and the vocabulary that training learns
// from them. For every family that is trained on chosen n-grams.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "dataset/dataset.h"
#include "model/engine.h"
#include "model/text_features.h"

namespace modicum {

struct HashCount {
  uint32_t hash = 0;
  uint32_t count = 0;
};
// How often a text has each of its n-grams, by rising hash.
using Document = std::vector<HashCount>;

// One per row, in their order. kInvalidInput when an item is not a text or the
// whole does not fit into the budget's memory; kInterrupted when stopped.
Result<std::vector<Document>> ReadDocuments(const Dataset& data,
                                            std::span<const uint32_t> rows,
                                            const FeatureConfig& config,
                                            const Budget& budget);

// Every n-gram that at least `min_documents` texts have, with how many have
// it: the most frequent first, equal ones by hash.
std::vector<HashCount> CountDocuments(const std::vector<Document>& documents,
                                      uint32_t min_documents);

}  // namespace modicum
