// SPDX-License-Identifier: Apache-2.0
#include "model/linear_weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "model/bytes.h"

namespace modicum {

namespace {

constexpr std::string_view kLinearMagic = "MODLIN1\n";
constexpr std::string_view kMagic2 = "MODLIN2\n";
// More classes than any task here has; bounds rows * features.

auto RefuseWeights(const std::string& what) {
  return Fail(ErrorCode::kInvalidInput,
              "not a linear model this program wrote: " + what,
              "train it again with 'modicum fit'");
}

template <class T>
bool AllFinite(const std::vector<T>& values) {
  return std::all_of(values.begin(), values.end(),
                     [](T value) { return std::isfinite(value); });
}

bool Plausible(NgramRange range, int limit) {
  if (range == NgramRange{}) return true;
  return range.min >= 1 && range.min <= range.max && range.max <= limit;
}

bool Plausible(const LinearWeights& w) {
  const uint32_t rows = w.classes == 2 ? 1 : w.classes;
  return Plausible(w.config.words, kMaxWordNgram) &&
         Plausible(w.config.chars, kMaxCharNgram) && w.classes >= 2 &&
         w.classes <= kMaxClasses && w.rows == rows &&
         w.config.hash_bits <= kMaxHashBits;
}

// The multiple of `scale` that is nearest to `value`.
int8_t Nearest8(float value, float scale) {
  const float steps = scale > 0 ? std::round(value / scale) : 0;
  return static_cast<int8_t>(std::clamp(steps, -127.0F, 127.0F));
}

void PutEightBit(const LinearWeights& w, ByteWriter& out) {
  out.Put(w.idf_scale);
  out.PutAll(w.scale);
  std::vector<int8_t> idf;
  for (const float value : w.idf) idf.push_back(Nearest8(value, w.idf_scale));
  out.PutAll(idf);
  out.PutAll(w.weights8);
}

// False for steps that rounding never gives.
bool GetEightBit(ByteReader& in, uint64_t features, LinearWeights& w) {
  w.idf_scale = in.Get<float>();
  if (!std::isfinite(w.idf_scale)) return false;
  w.scale = in.GetAll<float>(w.rows);
  bool rounded = true;
  for (const int8_t steps : in.GetAll<int8_t>(features)) {
    w.idf.push_back(static_cast<float>(steps) * w.idf_scale);
    rounded = rounded && Nearest8(w.idf.back(), w.idf_scale) == steps;
  }
  w.weights8 = in.GetAll<int8_t>(features * w.rows);
  return rounded && std::find(w.weights8.begin(), w.weights8.end(),
                              int8_t{-128}) == w.weights8.end();
}

}  // namespace

std::string EncodeLinear(const LinearWeights& weights) {
  ByteWriter out;
  const bool plain = !weights.eight_bit() && weights.config.hash_bits == 0;
  out.PutText(plain ? kLinearMagic : kMagic2);
  if (!plain) {
    out.Put(weights.config.hash_bits);
    out.Put<uint8_t>(weights.eight_bit() ? 8 : 32);
    out.Put<uint16_t>(0);
  }
  out.Put(weights.config.words.min);
  out.Put(weights.config.words.max);
  out.Put(weights.config.chars.min);
  out.Put(weights.config.chars.max);
  out.Put(weights.classes);
  out.Put(weights.rows);
  out.Put(static_cast<uint32_t>(weights.hashes.size()));
  out.Put(weights.solver_version);
  out.PutAll(weights.bias);
  out.PutAll(weights.slope);
  out.PutAll(weights.offset);
  out.PutAll(weights.hashes);
  if (weights.eight_bit()) {
    PutEightBit(weights, out);
  } else {
    out.PutAll(weights.idf);
    out.PutAll(weights.weights);
  }
  return out.Take();
}

Result<LinearWeights> DecodeLinear(std::string_view bytes) {
  const bool second = bytes.starts_with(kMagic2);
  if (!second && !bytes.starts_with(kLinearMagic))
    return RefuseWeights("it does not begin MODLIN1 or MODLIN2");
  ByteReader in(bytes.substr(kLinearMagic.size()));
  LinearWeights w;
  if (second) w.config.hash_bits = in.Get<uint8_t>();
  const auto bits = second ? in.Get<uint8_t>() : uint8_t{32};
  const auto zero = second ? in.Get<uint16_t>() : uint16_t{0};
  w.config.words.min = in.Get<uint8_t>();
  w.config.words.max = in.Get<uint8_t>();
  w.config.chars.min = in.Get<uint8_t>();
  w.config.chars.max = in.Get<uint8_t>();
  w.classes = in.Get<uint32_t>();
  w.rows = in.Get<uint32_t>();
  const uint64_t features = in.Get<uint32_t>();
  w.solver_version = in.Get<uint32_t>();
  if (!in.ok()) return RefuseWeights("it ends in its header");
  const bool needed = bits == 8 || w.config.hash_bits > 0;
  if (!Plausible(w) || (bits != 32 && bits != 8) || zero != 0 ||
      second != needed)
    return RefuseWeights("its header has values out of range");
  w.bias = in.GetAll<double>(w.rows);
  w.slope = in.GetAll<double>(w.rows);
  w.offset = in.GetAll<double>(w.rows);
  w.hashes = in.GetAll<uint32_t>(features);
  bool rounded = true;
  if (bits == 8) {
    rounded = GetEightBit(in, features, w);
  } else {
    w.idf = in.GetAll<float>(features);
    w.weights = in.GetAll<float>(features * w.rows);
  }
  if (!in.ok()) return RefuseWeights("it is shorter than its header says");
  if (in.left() != 0) return RefuseWeights("it is longer than its header says");
  if (!rounded) return RefuseWeights("it holds a number that is no 8-bit step");
  if (!AllFinite(w.bias) || !AllFinite(w.slope) || !AllFinite(w.offset) ||
      !AllFinite(w.idf) || !AllFinite(w.weights) || !AllFinite(w.scale))
    return RefuseWeights("it holds a number that is not finite");
  return w;
}

void RoundToEightBits(LinearWeights& w) {
  const auto greatest = [](float so_far, float value) {
    return std::max(so_far, std::abs(value));
  };
  w.idf_scale =
      std::accumulate(w.idf.begin(), w.idf.end(), 0.0F, greatest) / 127;
  for (float& value : w.idf)
    value = static_cast<float>(Nearest8(value, w.idf_scale)) * w.idf_scale;
  w.scale.assign(w.rows, 0);
  for (size_t i = 0; i < w.weights.size(); ++i)
    w.scale[i % w.rows] = greatest(w.scale[i % w.rows], w.weights[i]);
  for (float& scale : w.scale) scale /= 127;
  w.weights8.resize(w.weights.size());
  for (size_t i = 0; i < w.weights.size(); ++i)
    w.weights8[i] = Nearest8(w.weights[i], w.scale[i % w.rows]);
  w.weights.clear();
}

HashIndex::HashIndex(const std::vector<uint32_t>& hashes) {
  size_t size = 2;
  while (size < 2 * hashes.size()) size *= 2;
  slots_.assign(size, Slot{});
  mask_ = size - 1;
  for (size_t i = 0; i < hashes.size(); ++i) {
    size_t at = hashes[i] & mask_;
    while (slots_[at].index_plus_1 != 0) {
      duplicate_ = duplicate_ || slots_[at].hash == hashes[i];
      at = (at + 1) & mask_;
    }
    slots_[at] = {hashes[i], static_cast<uint32_t>(i + 1)};
  }
}

std::string LiblinearVersion(uint32_t number) {
  return std::to_string(number / 100) + "." + std::to_string(number % 100);
}

float TermFrequency(uint32_t count) {
  static const auto kTable = [] {
    std::array<float, 256> table{};
    for (size_t n = 1; n < table.size(); ++n)
      table[n] = static_cast<float>(1 + std::log(static_cast<double>(n)));
    return table;
  }();
  if (count < kTable.size()) return kTable[count];
  return static_cast<float>(1 + std::log(static_cast<double>(count)));
}

}  // namespace modicum
