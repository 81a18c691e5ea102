// SPDX-License-Identifier: Apache-2.0
// What the user's own models took, one sequence at a time: to compare a plan
// with, and to correct the serving model of a chip by.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hardware/accelerators.h"
#include "plan/architecture.h"
#include "plan/training.h"

namespace modicum {

// One run of a model: a prompt read, then a pass for each further token.
struct MeasuredRun {
  std::string model;  // as it was called: a file
  // Absent: its file is gone, or says nothing of its shape.
  std::optional<Architecture> shape;
  double weight_bits = 16;
  double prompt = 0, passes = 0;  // tokens
  double prefill_s = 0, decode_s = 0;
  double prefill_j = 0, decode_j = 0;
  // Errors of the joules: relative and the same for all runs; of this run, J.
  double shared_sd = 0, own_sd = 0;
};

// All runs of one model.
struct MeasuredModel {
  std::string model;
  uint64_t runs = 0;
  // Per token, over all runs.
  double prefill_s = 0, decode_s = 0;
  double prefill_j = 0, decode_j = 0;
  double energy_sd = 0;  // relative

  double Seconds(double prompt, double output) const {
    return prompt * prefill_s + output * decode_s;
  }
  Spread Joules(double prompt, double output) const {
    return {prompt * prefill_j + output * decode_j, energy_sd};
  }
};
// By model, the least joules a written token first.
std::vector<MeasuredModel> MeasuredModels(std::span<const MeasuredRun> runs);

// Measured over predicted.
struct ServingFit {
  Spread decode{1, 0}, prefill{1, 0}, energy{1, 0};
  uint64_t runs = 0, models = 0;
  double least = 0, most = 0;  // parameters of the models
};

// Of a chip whose serving model is H100's: the logarithms of measured over
// predicted, each model once, with a normal prior about 0 as wide as the
// serving model's error; the spread is that of a further model. nullopt:
// no run has a shape.
std::optional<ServingFit> FitServing(const Accelerator& chip,
                                     std::span<const MeasuredRun> runs);

}  // namespace modicum
