// SPDX-License-Identifier: Apache-2.0
// The structure of a fastText model file, checked before the library sees it:
// its own loader spins on or accepts a truncated file. Part of the program,
// not of the module, so that it can be tested and fuzzed alone.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace modicum {

inline constexpr char kFastTextFile[] = "fasttext.bin";
// Upper case: no cleaned text can contain it.
inline constexpr char kFastTextLabel[] = "__LABEL__";

struct FastTextShape {
  uint64_t words = 0;
  uint64_t buckets = 0;  // rows of the n-grams; after pruning, those kept
  uint64_t dim = 0;
  uint64_t labels = 0;
  uint64_t file_bytes = 0;
  bool quantised = false;
  uint64_t parameters = 0;  // numbers kept: weights or codes, and centroids
};

// kInvalidInput unless `bytes` is a whole supervised softmax model of version
// 12 with `labels` classes named __LABEL__0 and on; its input matrix may be
// product-quantised and its n-grams pruned, its output matrix not.
Result<FastTextShape> CheckFastTextFile(std::string_view bytes, size_t labels);

// What training and prediction both do to a text: lower case, one line, and
// punctuation apart from words.
std::string CleanForFastText(std::string_view text);

}  // namespace modicum
