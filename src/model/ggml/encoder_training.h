// SPDX-License-Identifier: Apache-2.0
// Trains an encoder: batches of texts of similar length, early stopping on
// texts held out of those it was given.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/checkpoint.h"
#include "model/engine.h"
#include "model/ggml/adamw.h"
#include "model/ggml/encoder_graph.h"
#include "model/ggml/vocabulary.h"

namespace modicum {

struct EncoderExamples {
  std::vector<TokenIds> texts;  // each of two tokens at least
  std::vector<uint32_t> labels;

  size_t size() const { return texts.size(); }
};

struct EncoderSettings {
  EncoderShape shape;
  uint32_t epochs = 20;
  uint32_t patience = 5;  // epochs without a better one, then it ends
  uint32_t batch = 32;    // texts a step
  double rate = 1e-3;     // at its peak
  double warm_up = 0.1;
  double clip = 1;
  AdamWSettings adamw;
  double average = 200;  // steps that the final weights are a mean over
  Dropout dropout;
  double word_dropout = 0;  // share of tokens that are made unknown
  TokenId unknown = kUnknownToken;
  double label_smoothing = 0;  // share of a target given to all labels alike
};

// What is known after each pass over the texts.
struct EncoderEpoch {
  uint32_t epoch = 0;
  double loss = 0;  // mean of the steps
  // Of the held-out texts; nothing where there are none.
  std::optional<double> held_out_loss, held_out_accuracy;
};

struct EncoderParts {
  const EncoderSettings& settings;
  const EncoderExamples& examples;
  const EncoderExamples& held_out;  // may be empty
  const Budget& budget;
  Checkpoint* checkpoint = nullptr;
  Hash key{};  // of data and settings: whose checkpoint it is
  Clock* clock = &SystemClock();
  std::function<void(const EncoderEpoch&)> on_epoch = nullptr;
};

// Sets what learns of `weights`, drawn or loaded before, to the mean of recent
// steps that did best on the held-out texts (by accuracy, then loss), or to the
// last where none are held out. When the wall time ends first, the best so far;
// kUnavailable when there is none, or the memory is too small. kInterrupted
// when stopped: the checkpoint then keeps the state. Where the head alone
// learns, the body reads each text once, before the first step.
Status TrainEncoder(EncoderWeights& weights, const EncoderParts& parts);

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
