// SPDX-License-Identifier: Apache-2.0
// Text to hashed n-grams: lower-cased words, pairs of words and, when asked
// for, character n-grams inside words. No allocation but the output's growth.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dataset/item.h"

namespace modicum {

// From `min` to `max` units; {0, 0} is none.
struct NgramRange {
  uint8_t min = 0;
  uint8_t max = 0;
  friend bool operator==(NgramRange, NgramRange) = default;
};
inline constexpr int kMaxWordNgram = 4;
inline constexpr int kMaxCharNgram = 8;
inline constexpr int kMaxHashBits = 30;

// "1-2", "3" or "none". `name` and `limit` are for the error.
Result<NgramRange> ParseNgramRange(std::string_view text, std::string_view name,
                                   int limit);

struct FeatureConfig {
  NgramRange words{1, 2};
  NgramRange chars{0, 0};  // over the word with a blank on both sides
  // Hashes keep their lowest bits, so that at most 2^hash_bits features exist
  // (feature hashing, Weinberger et al. 2009, without the sign); 0: all 32.
  uint8_t hash_bits = 0;
  friend bool operator==(FeatureConfig, FeatureConfig) = default;
};

// Appends the 32-bit hash of every n-gram of `text`, repeats included, in
// order of appearance. The hash is part of the model format: it is the same
// on every machine and never changes for a given format version.
void HashFeatures(std::string_view text, const FeatureConfig& config,
                  std::vector<uint32_t>& hashes);

// The code point at `text[*at]`, lower-cased (ASCII, Latin, Greek, Cyrillic),
// and moves `*at` past it. A byte that is not UTF-8 stands for itself.
char32_t NextLowered(std::string_view text, size_t* at);

// `text` in lower case, as UTF-8, with every control character a blank.
std::string LowerCased(std::string_view text);

// The item's text, or the error that says what a text model cannot take.
Result<std::string_view> TextOf(const Item& item);

}  // namespace modicum
