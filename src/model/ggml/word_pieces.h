// SPDX-License-Identifier: Apache-2.0
// Learns which pieces of words a vocabulary should have: byte-pair encoding
// (Sennrich, Haddow & Birch 2016) over counted words. The pieces are those of
// a WordPiece tokenizer, which takes the longest that fits from the left.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"

namespace modicum {

// A word as indices of its characters, and how often it appears.
struct CountedWord {
  std::vector<uint32_t> characters;
  uint64_t count = 1;
};

// The alphabet and, most useful first, up to `size` pieces in all: each joins
// the two that stand most often side by side, earlier pieces first among
// equals, and appears in at least `least` words. kInterrupted when stopped.
Result<std::vector<std::string>> LearnPieces(std::vector<std::string> alphabet,
                                             std::span<const CountedWord> words,
                                             size_t size, uint64_t least,
                                             const std::stop_token& stop);

}  // namespace modicum
