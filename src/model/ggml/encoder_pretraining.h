// SPDX-License-Identifier: Apache-2.0
// An encoder's body learns the language of texts without labels, by finding
// tokens that are hidden (Devlin et al. 2019), before it learns its task.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "model/checkpoint.h"
#include "model/engine.h"
#include "model/ggml/adamw.h"
#include "model/ggml/hidden_tokens.h"

namespace modicum {

struct PretrainingSettings {
  uint32_t epochs = 10;
  uint32_t batch = 32;  // texts a step
  double rate = 1e-3;   // at its peak
  double warm_up = 0.1;
  double clip = 1;
  AdamWSettings adamw = {};
  Dropout dropout = {0.1F, 0.1F, 0};  // as BERT's
};

struct PretrainingParts {
  const PretrainingSettings& settings;
  std::span<const TokenIds> texts;
  const HidingRule& rule;
  const Budget& budget;
  Checkpoint* checkpoint = nullptr;
  Hash key{};  // of texts and settings: whose checkpoint it is
  Clock* clock = &SystemClock();
  // After each pass over the texts: its number, the mean loss of its steps.
  std::function<void(uint32_t, double)> on_epoch = nullptr;
};

// Changes the body of `weights`, drawn or loaded before; its head stays. When
// the wall time ends first, what was learnt by then; kUnavailable when the
// memory is too small. kInterrupted when stopped: the checkpoint then keeps
// the state; it stays when all is done, until another replaces it.
Status PretrainEncoder(EncoderWeights& weights, const PretrainingParts& parts);

}  // namespace modicum
