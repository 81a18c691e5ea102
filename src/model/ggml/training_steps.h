// SPDX-License-Identifier: Apache-2.0
// In which order and together with which a training reads its texts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/neural.h"

namespace modicum {

// Which texts one step learns from.
using StepRows = std::vector<uint32_t>;

// The steps of a pass over all texts, `batch` a step: drawn by the seed,
// texts of similar length together.
std::vector<StepRows> StepsOf(std::span<const TokenIds> texts, size_t batch,
                              uint64_t seed);

// Seeds of separate streams of random numbers.
enum SeedStream : uint64_t {
  kOrderStream,
  kStepStream,
  kPretrainStream,
  kPretrainStepStream
};
uint64_t StreamSeed(uint64_t seed, SeedStream stream, uint64_t index);

// All texts, the shortest first.
std::vector<uint32_t> ShortestFirst(std::span<const TokenIds> texts);

}  // namespace modicum
