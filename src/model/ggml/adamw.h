// SPDX-License-Identifier: Apache-2.0
// The optimizer: AdamW (Loshchilov & Hutter 2019), gradients clipped by their
// global norm, a learning rate that warms up and then falls as a cosine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/ggml/encoder_weights.h"

namespace modicum {

struct AdamWSettings {
  double decay = 0.01;  // decoupled; of matrices only
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

class AdamW {
 public:
  AdamW(size_t numbers, const AdamWSettings& settings);
  // Moves the values against their gradients.
  void Step(std::span<const Parameter> parameters, double rate);

  // The running means, in the order of the parameters, and the steps taken:
  // all that a later training needs to go on.
  struct State {
    uint64_t steps = 0;
    std::vector<float> first, second;
  };
  const State& state() const { return state_; }
  void Set(State state) { state_ = std::move(state); }

 private:
  const AdamWSettings settings_;
  State state_;
};

// The weights' mean over about the last `steps` steps, fewer at the beginning:
// steadier than where the last step happened to end (Polyak & Juditsky 1992,
// with exponential weights).
class WeightMean {
 public:
  explicit WeightMean(double steps) : steps_(steps) {}
  void Add(std::span<const Parameter> parameters);
  // Exchanges the weights and their mean.
  void Swap(std::span<const Parameter> parameters);

  uint64_t count() const { return count_; }
  const std::vector<float>& values() const { return mean_; }
  void Set(uint64_t count, std::vector<float> values);

 private:
  const double steps_;
  uint64_t count_ = 0;
  std::vector<float> mean_;
};

// Scales the gradients down to a global norm of at most `most`; returns the
// norm they had.
double ClipGradients(std::span<const Parameter> parameters, double most);

// At step 0, 1, ... of `total`: linear up to `peak` within the first `warm_up`
// share of them, then half a cosine down to zero.
double LearningRate(uint64_t step, uint64_t total, double warm_up, double peak);

}  // namespace modicum
