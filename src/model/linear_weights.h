// SPDX-License-Identifier: Apache-2.0
// The weights of a linear text model and their file formats.
//
// Little endian, no padding, nothing after the end. MODLIN1:
//   "MODLIN1\n"
//   u8 words.min, words.max, chars.min, chars.max
//   u32 classes, rows (1 when classes is 2, else classes), features,
//       liblinear's version as a number (230)
//   f64 bias[rows], slope[rows], offset[rows]
//   u32 hash[features], f32 idf[features], f32 weight[features * rows]
// MODLIN2 is written only for what MODLIN1 cannot hold:
//   "MODLIN2\n", then u8 hash_bits, u8 bits (32 or 8), u16 zero, and the rest
//   as above; with 8 bits, the last line becomes
//   u32 hash[features], f32 idf_scale, f32 scale[rows],
//   i8 idf[features], i8 weight[features * rows]
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
  std::vector<float> weights;  // features x rows; empty when 8-bit
  // The 8-bit form: weight = weights8 * scale[row], in -127 to 127, and every
  // idf is a multiple of idf_scale.
  std::vector<int8_t> weights8;  // features x rows
  std::vector<float> scale;      // by row
  float idf_scale = 0;

  bool eight_bit() const { return !scale.empty(); }
  friend bool operator==(const LinearWeights&, const LinearWeights&) = default;
};

std::string EncodeLinear(const LinearWeights& weights);
// kInvalidInput for anything EncodeLinear cannot have written.
Result<LinearWeights> DecodeLinear(std::string_view bytes);

// Turns idf and weights into their 8-bit form: symmetric, the step is the
// greatest size / 127, one per row (Jacob et al. 2018, without a zero point).
void RoundToEightBits(LinearWeights& weights);

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
