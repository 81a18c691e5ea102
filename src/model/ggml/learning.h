// SPDX-License-Identifier: Apache-2.0
// How every training goes, whatever is learnt: passes over texts in batches of
// similar length, AdamW on clipped gradients, the mean of recent weights, an
// early end by a judge, and a checkpoint that it goes on from.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "model/checkpoint.h"
#include "model/engine.h"
#include "model/ggml/adamw.h"
#include "model/ggml/encoder_graph.h"
#include "model/ggml/training_steps.h"

namespace modicum {

struct LearningSettings {
  uint32_t epochs = 20;
  uint32_t patience = 5;  // epochs without a better one, then it ends
  uint32_t batch = 32;    // texts a step
  double rate = 1e-3;     // at its peak
  double warm_up = 0.1;
  double clip = 1;
  AdamWSettings adamw = {};
  // Steps that what is judged and kept is a mean over; 0: the last alone.
  double average = 200;
  Dropout dropout = {};
};

// What is learnt.
class Lessons {
 public:
  virtual ~Lessons() = default;
  virtual std::span<const TokenIds> texts() const = 0;
  // Those at `rows`, with what is wanted of them.
  virtual EncoderBatch BatchOf(std::span<const uint32_t> rows,
                               Rng& rng) const = 0;
  // How many answers a batch has: parts of a step count by theirs.
  virtual size_t Answers(const EncoderBatch& batch) const = 0;
};

// How good the weights are: by quality, then by loss.
struct Judgement {
  double quality = -1;
  double loss = 0;
  bool operator>(const Judgement& other) const {
    return quality != other.quality ? quality > other.quality
                                    : loss < other.loss;
  }
};

// After a step: how many are done, of how many, and what the last one read.
struct LearningStep {
  uint64_t done = 0, all = 0;
  uint64_t tokens = 0;
};

struct LearningParts {
  const LearningSettings& settings;
  const Lessons& lessons;
  const Budget& budget;
  uint32_t together = 1;  // texts computed at once, see TextsAtOnce
  Checkpoint* checkpoint = nullptr;
  Hash key{};  // of data and settings: whose checkpoint it is
  Clock* clock = &SystemClock();
  std::string_view name = "training";  // in errors
  SeedStream order = kOrderStream, steps = kStepStream;
  // What a pass that the time ended has taught counts too.
  bool keep_parts = false;
  // After each pass, of the weights as they would be kept; null: the last are
  // kept.
  std::function<Result<Judgement>()> judge = nullptr;
  // Its number and the mean loss of its steps.
  std::function<void(uint32_t, double, const std::optional<Judgement>&)>
      on_epoch = nullptr;
  std::function<void(const LearningStep&)> on_step = nullptr;
};

// Sets what learns of `weights` to the mean of recent steps that was judged
// best. When the wall time ends first, the best so far; kUnavailable when there
// is none. kInterrupted when stopped. The checkpoint has the state then, and
// when all is done.
Status Learn(EncoderWeights& weights, EncoderGraph& graph,
             const LearningParts& parts);

// kUnavailable: what a training says that ends before its first pass does.
tl::unexpected<Error> NoWholePass(size_t texts, const Budget& budget);
// Some tokens are made unknown, but for the first and the last of a text.
void DropWords(double share, TokenId unknown, Rng& rng, EncoderBatch& batch);

// Before the weights are there: whether their numbers alone fit into the
// memory. kUnavailable when they do not.
Status CheckNumbersFit(const EncoderShape& shape, Learns learns,
                       const Budget& budget);
// What a training needs that computes so much at once, apart from the texts.
Bytes TrainingMemory(EncoderGraph& graph, const EncoderWeights& weights,
                     uint32_t texts, uint32_t length);
// How many of a step's `batch` texts can be computed at once, beside `other`
// numbers: halved until it fits. kUnavailable when not one can.
Result<uint32_t> TextsAtOnce(EncoderGraph& graph, const EncoderWeights& weights,
                             std::span<const TokenIds> texts, uint32_t batch,
                             Bytes other, const Budget& budget);

}  // namespace modicum
