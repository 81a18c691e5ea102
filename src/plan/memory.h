// SPDX-License-Identifier: Apache-2.0
// Bytes that one device holds while training, and the parallelism that makes
// them fit.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hardware/accelerators.h"
#include "plan/architecture.h"

namespace modicum {

enum class Recompute { kNone, kSelective, kFull };
std::string_view RecomputeName(Recompute level);

// Bytes per parameter of a way to train; gradients and states are of the
// trained parameters only.
struct TrainFormat {
  std::string name = "mixed adam";
  double weight = 2;
  double gradient = 2;
  double states = 12;  // fp32 copy and two moments
};
// "mixed" (16 bytes), "fp32" (16), "adam8bit" (10 with the fp32 copy), "sgd".
// kInvalidInput names those that there are.
Result<TrainFormat> FindTrainFormat(std::string_view name);

struct Adapter {
  int rank = 0;             // 0: all parameters are trained
  double weight_bits = 16;  // of the frozen weights; nf4: 4.127
};
// Of A and B on each matrix of attention and feed-forward.
double AdapterParameters(const Architecture& model, int rank);

struct Parallelism {
  int data = 1;
  int tensor = 1;
  int pipeline = 1;
  int expert = 1;  // divides `data`
  int zero = 0;    // stage of ZeRO over `data`
  Recompute recompute = Recompute::kSelective;

  int devices() const { return data * tensor * pipeline; }
};

struct TrainSetup {
  TrainFormat format;
  Adapter adapter;
  int micro_batch = 1;
  int sequence = 2048;
};

// Bytes on the fullest device.
struct TrainMemory {
  double weights = 0;
  double gradients = 0;
  double optimizer = 0;
  double activations = 0;
  double logits = 0;
  double runtime = 0;        // context and libraries
  double fragmentation = 0;  // of what the allocator hands out

  double total() const {
    return weights + gradients + optimizer + activations + logits + runtime +
           fragmentation;
  }
};

TrainMemory TrainMemoryOf(const Architecture& model, const TrainSetup& setup,
                          const Parallelism& parallel);

struct Layout {
  Parallelism parallel;
  TrainMemory memory;
  bool fits = false;
};

// On exactly `devices`: of the layouts that fit the one with the least work
// and waiting beside the model's own; when none fits, the smallest.
Layout BestLayout(const Architecture& model, const TrainSetup& setup,
                  const Accelerator& chip, int devices);
// The fewest devices on which it fits, at most `most`; nullopt: not even there.
std::optional<Layout> FewestDevices(const Architecture& model,
                                    const TrainSetup& setup,
                                    const Accelerator& chip, int most);

// DeepSpeed's estimate of model and optimizer states per device in bytes, for
// comparison: 2 + 2 + ... as its documentation states. Stage 2 and stage 3
// without offload, and stage 3 with everything offloaded.
double DeepSpeedZero3(double parameters, double largest_layer, int devices);
double DeepSpeedOffloadedOptimizer(double parameters, double largest_layer);
double DeepSpeedOffloaded(double largest_layer);

}  // namespace modicum
