// SPDX-License-Identifier: Apache-2.0
// From the hashed n-grams that decided back to what a reader sees in the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/model.h"
#include "model/text_features.h"

namespace modicum {

// The first n-gram of `text` whose hash is `hash`, lower-cased as HashFeatures
// sees it: "free offer"; an n-gram of characters is quoted, with the blanks
// that stand for the ends of its word: "' vi'". Empty when there is none.
// Folded hashes (FeatureConfig::hash_bits) may be shared; the first is told.
std::string NgramText(std::string_view text, const FeatureConfig& config,
                      uint32_t hash);

// What the n-gram with this hash adds to a score.
struct HashEffect {
  uint32_t hash = 0;
  double effect = 0;
};
// The `count` effects of greatest size as reasons, strongest first, ties in
// their order. Effects of zero are no reasons.
std::vector<Reason> ExplainText(std::string_view text,
                                const FeatureConfig& config,
                                std::vector<HashEffect> effects, int count);

}  // namespace modicum
