// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/training_steps.h"

#include <algorithm>
#include <numeric>

#include "base/rng.h"

namespace modicum {

namespace {

// Texts are sorted by length within so many batches: alike enough to fill up
// little, mixed enough to be a fair draw.
constexpr size_t kWindow = 32;

}  // namespace

std::vector<StepRows> StepsOf(std::span<const TokenIds> texts, size_t batch,
                              uint64_t seed) {
  Rng rng(seed);
  StepRows order(texts.size());
  std::iota(order.begin(), order.end(), 0U);
  rng.Shuffle(order);
  for (size_t at = 0; at < order.size(); at += kWindow * batch) {
    const auto from = order.begin() + static_cast<int64_t>(at);
    const auto to = order.begin() + static_cast<int64_t>(std::min(
                                        at + kWindow * batch, order.size()));
    std::stable_sort(from, to, [&](uint32_t a, uint32_t b) {
      return texts[a].size() < texts[b].size();
    });
  }
  std::vector<StepRows> steps;
  for (size_t at = 0; at < order.size(); at += batch)
    steps.emplace_back(order.begin() + static_cast<int64_t>(at),
                       order.begin() + static_cast<int64_t>(
                                           std::min(at + batch, order.size())));
  rng.Shuffle(steps);
  return steps;
}

uint64_t StreamSeed(uint64_t seed, SeedStream stream, uint64_t index) {
  Rng rng(seed + 0x9E3779B97F4A7C15ULL * (stream + 1) + (index << 20U) + index);
  return (uint64_t{rng.Next()} << 32U) | rng.Next();
}

std::vector<uint32_t> ShortestFirst(std::span<const TokenIds> texts) {
  std::vector<uint32_t> order(texts.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return texts[a].size() < texts[b].size();
  });
  return order;
}

}  // namespace modicum
