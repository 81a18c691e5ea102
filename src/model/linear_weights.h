// SPDX-License-Identifier: Apache-2.0
// The weights of a linear text model and their file format, MODLIN1.
//
// Little endian, no padding, nothing after the end:
//   "MODLIN1\n"
//   u8 words.min, words.max, chars.min, chars.max
//   u32 classes, rows (1 when classes is 2, else classes), features,
//       liblinear's version as a number (230)
//   f64 bias[rows], slope[rows], offset[rows]
//   u32 hash[features], f32 idf[features], f32 weight[features * rows]
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/text_features.h"

namespace modicum {

inline constexpr char kLinearFile[] = "linear.bin";

struct LinearWeights {
  FeatureConfig config;
  uint32_t classes = 2;
  // One row per class, one against the rest; two classes share one row, whose
  // positive side is class 1.
  uint32_t rows = 1;
  uint32_t solver_version = 0;
  std::vector<double> bias;
  // p = 1 / (1 + exp(-(slope * score + offset))), per row.
  std::vector<double> slope, offset;
  // Features by falling document frequency, so that the frequent ones share
  // cache lines.
  std::vector<uint32_t> hashes;  // unique
  std::vector<float> idf;
  std::vector<float> weights;  // features x rows

  friend bool operator==(const LinearWeights&, const LinearWeights&) = default;
};

std::string EncodeLinear(const LinearWeights& weights);
// kInvalidInput for anything EncodeLinear cannot have written.
Result<LinearWeights> DecodeLinear(std::string_view bytes);

// From a feature's hash to its index. Read-only after the constructor.
class HashIndex {
 public:
  static constexpr uint32_t kAbsent = UINT32_MAX;

  HashIndex() = default;
  explicit HashIndex(const std::vector<uint32_t>& hashes);

  uint32_t Find(uint32_t hash) const {
    for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.index_plus_1 == 0) return kAbsent;
      if (slot.hash == hash) return slot.index_plus_1 - 1;
    }
  }
  void Prefetch(uint32_t hash) const {
    __builtin_prefetch(&slots_[hash & mask_]);
  }
  // Whether a hash came twice.
  bool duplicate() const { return duplicate_; }

 private:
  struct Slot {
    uint32_t hash = 0;
    uint32_t index_plus_1 = 0;
  };
  std::vector<Slot> slots_ = std::vector<Slot>(1);
  size_t mask_ = 0;
  bool duplicate_ = false;
};

// 230 -> "2.30".
std::string LiblinearVersion(uint32_t number);

// The sublinear term frequency, 1 + ln(count).
float TermFrequency(uint32_t count);

}  // namespace modicum
