// SPDX-License-Identifier: Apache-2.0
// One replica of a served language model: seconds and joules of an iteration
// at a batch, from what it reads, computes and waits for.
#pragma once

#include <string_view>
#include <vector>

#include "hardware/accelerators.h"
#include "plan/architecture.h"
#include "plan/data_type.h"
#include "plan/training.h"

namespace modicum {

struct Replica {
  const Architecture* model = nullptr;
  const Accelerator* chip = nullptr;
  int devices = 1;  // tensor-parallel
  double weight_bits = 16;
  double kv_bits = 16;
  double peak = 0;  // FLOP/s of one device in the type it computes in
  // Times what the model says: see ServingFit.
  double decode_factor = 1, prefill_factor = 1, energy_factor = 1;

  double WeightBytes() const { return model->parameters * weight_bits / 8; }
};

// Coefficients of an iteration, fitted to ML.ENERGY v3's measurements:
//   t = weights x W/(n BW) + kv x KV/(n BW) + flop x FLOP/(n F) + fixed
//       + parallel [n > 1] + sequence x B
struct ServingCoefficients {
  double weights = 0, kv = 0, flop = 0;
  double fixed = 0, parallel = 0, sequence = 0;  // s
  double time_sd = 0, energy_sd = 0;             // of the logarithm
  std::string_view source;
};
ServingCoefficients CoefficientsOf(const Accelerator& chip);

struct Iteration {
  double seconds = 0;
  double joules = 0;  // of the replica's accelerators
  double bytes = 0;
  double flop = 0;
};

// Decoding one token of each of `batch` sequences with `context` tokens cached.
// A mixture reads the experts that any of the batch's tokens chose.
Iteration DecodeIteration(const Replica& replica, double batch, double context);

// One prompt of `tokens`, at 60 % of the peak, 1.1 pJ per FLOP on H100.
Iteration Prefill(const Replica& replica, double tokens);

// Sequences of at most `context` tokens whose cache fits beside the weights;
// 0: not even these.
double MostSequences(const Replica& replica, double context);

// A row of data/published_inference.csv.
struct ServedRow {
  std::string model, chip, weights;
  int devices = 1;
  double batch = 0, joules_per_token = 0, context = 0;
};
const std::vector<ServedRow>& ServedRows();

}  // namespace modicum
