// SPDX-License-Identifier: Apache-2.0
// An encoder's body learns the language of texts without labels, by finding
// tokens that are hidden (Devlin et al. 2019), before it learns its task.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "model/ggml/hidden_tokens.h"
#include "model/ggml/learning.h"

namespace modicum {

// Passes, rate, dropout as BERT's; no mean of weights.
struct PretrainingSettings : LearningSettings {
  PretrainingSettings() {
    epochs = 10;
    average = 0;
    dropout = {0.1F, 0.1F, 0};
  }
};

// Texts of which tokens are hidden, anew in every pass.
class HiddenLessons final : public Lessons {
 public:
  HiddenLessons(std::span<const TokenIds> texts, const HidingRule& rule,
                uint32_t context)
      : texts_(texts), rule_(rule), context_(context) {}
  std::span<const TokenIds> texts() const override { return texts_; }
  EncoderBatch BatchOf(std::span<const uint32_t> rows, Rng& rng) const override;
  size_t Answers(const EncoderBatch& batch) const override {
    return batch.asked.size();
  }

 private:
  const std::span<const TokenIds> texts_;
  const HidingRule& rule_;
  const uint32_t context_;
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
