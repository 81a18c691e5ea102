// SPDX-License-Identifier: Apache-2.0
// One training of a head from its data to its figures: learned until the
// validation data gets no better, written, opened as any user would, and only
// then told about the test data.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/phase.h"
#include "base/result.h"
#include "model/checkpoint.h"
#include "model/neural.h"
#include "record/train_result.h"
#include "train/head_data.h"

namespace modicum {

struct TrainParts {
  NeuralEngine& engine;
  std::string path;        // of the body; the head goes beside it
  Checkpoint& checkpoint;  // removed when all is done
  std::stop_token stop;
  int threads = 1;
  PhaseSink& sink;
  // Steps done, all there may be, and what the last epoch came to.
  std::function<void(uint64_t, uint64_t, std::string_view)> progress = nullptr;
};

// Errors of the engine's TrainHead and OpenHeaded; kInterrupted says how to go
// on.
Result<TrainResult> TrainHead(const HeadTask& task, const HeadData& data,
                              const TrainParts& parts);

}  // namespace modicum
