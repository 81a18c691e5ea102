// SPDX-License-Identifier: Apache-2.0
#include "model/linear_weights.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "model/bytes.h"

namespace modicum {

namespace {

constexpr std::string_view kMagic = "MODLIN1\n";
// More classes than any task here has; bounds rows * features.
constexpr uint32_t kMaxClasses = 1U << 16;

auto Refuse(const std::string& what) {
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
         w.classes <= kMaxClasses && w.rows == rows;
}

}  // namespace

std::string EncodeLinear(const LinearWeights& weights) {
  ByteWriter out;
  out.PutText(kMagic);
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
  out.PutAll(weights.idf);
  out.PutAll(weights.weights);
  return out.Take();
}

Result<LinearWeights> DecodeLinear(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) return Refuse("it does not begin MODLIN1");
  ByteReader in(bytes.substr(kMagic.size()));
  LinearWeights w;
  w.config.words.min = in.Get<uint8_t>();
  w.config.words.max = in.Get<uint8_t>();
  w.config.chars.min = in.Get<uint8_t>();
  w.config.chars.max = in.Get<uint8_t>();
  w.classes = in.Get<uint32_t>();
  w.rows = in.Get<uint32_t>();
  const uint64_t features = in.Get<uint32_t>();
  w.solver_version = in.Get<uint32_t>();
  if (!in.ok()) return Refuse("it ends in its header");
  if (!Plausible(w)) return Refuse("its header has values out of range");
  w.bias = in.GetAll<double>(w.rows);
  w.slope = in.GetAll<double>(w.rows);
  w.offset = in.GetAll<double>(w.rows);
  w.hashes = in.GetAll<uint32_t>(features);
  w.idf = in.GetAll<float>(features);
  w.weights = in.GetAll<float>(features * w.rows);
  if (!in.ok()) return Refuse("it is shorter than its header says");
  if (in.left() != 0) return Refuse("it is longer than its header says");
  if (!AllFinite(w.bias) || !AllFinite(w.slope) || !AllFinite(w.offset) ||
      !AllFinite(w.idf) || !AllFinite(w.weights))
    return Refuse("it holds a number that is not finite");
  return w;
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
