// SPDX-License-Identifier: Apache-2.0
// Trains a classifier of texts, with early stopping on texts held out of those
// it was given.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "model/ggml/learning.h"
#include "model/ggml/vocabulary.h"

namespace modicum {

struct EncoderExamples {
  std::vector<TokenIds> texts;  // each of two tokens at least
  std::vector<uint32_t> labels;

  size_t size() const { return texts.size(); }
};

struct EncoderSettings : LearningSettings {
  EncoderShape shape = {};
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

}  // namespace modicum
