// SPDX-License-Identifier: Apache-2.0
// A seeded generator whose stream is the same on every platform, unlike the
// standard library's distributions. PCG32 (O'Neill, HMC-CS-2014-0905).
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace modicum {

class Rng {
 public:
  explicit Rng(uint64_t seed) {
    Next();
    state_ += seed;
    Next();
  }
  uint32_t Next() {
    const uint64_t old = state_;
    state_ = old * 6364136223846793005ULL + 1442695040888963407ULL;
    const auto xorshifted = static_cast<uint32_t>(((old >> 18U) ^ old) >> 27U);
    const auto rotate = static_cast<uint32_t>(old >> 59U);
    return (xorshifted >> rotate) | (xorshifted << ((32 - rotate) & 31U));
  }
  // Uniform in [0, bound), unbiased. bound > 0.
  uint32_t Below(uint32_t bound) {
    const uint32_t threshold = (0U - bound) % bound;
    while (true) {
      const uint32_t r = Next();
      if (r >= threshold) return r % bound;
    }
  }
  // Uniform in [0, 1).
  double Unit() { return Next() * 0x1p-32; }
  template <class T>
  void Shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i)
      std::swap(items[i - 1], items[Below(static_cast<uint32_t>(i))]);
  }

 private:
  uint64_t state_ = 0;
};

}  // namespace modicum
