// SPDX-License-Identifier: Apache-2.0
// How well a network predicts a text, and how far it is from another one:
// perplexity as llama-perplexity computes it, and the divergence of their
// predictions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "base/result.h"
#include "model/neural.h"

namespace modicum {

struct PerplexityOptions {
  // The text is cut into chunks of so many tokens, each read by itself and
  // begun as the network begins a text; of each the second half is scored.
  uint32_t context = 512;
  // Not 0: a chunk begins every `stride` tokens, and the last `stride` tokens
  // of each are scored.
  uint32_t stride = 0;
  uint64_t chunks = 0;  // of the text's; 0: all
  CallOptions call = {};
  // Before each chunk but the first: how many are done, of how many.
  std::function<void(uint64_t done, uint64_t all)> progress = {};
};

// A mean over the scored tokens with its standard error, which takes tokens as
// independent.
struct MeanFigure {
  double mid = 0;
  double error = 0;
};

// Of the network against a base.
struct Divergence {
  MeanFigure base_perplexity;
  MeanFigure ratio;     // of perplexities: the network's by the base's
  MeanFigure kl;        // nats a token, of the network from the base
  MeanFigure same_top;  // share of tokens where both find the same likeliest
};

struct PerplexityFigure {
  uint64_t tokens = 0;  // scored
  uint64_t chunks = 0;
  MeanFigure perplexity;
  std::optional<Divergence> divergence;  // with a base
};

// `base` may be null. Both read the same tokens, so their vocabularies must be
// of one size. Reports kPrefill for the network, kPrepare for the base.
// kInvalidInput where the text is shorter than two chunks.
Result<PerplexityFigure> MeasurePerplexity(NeuralModel& network,
                                           NeuralModel* base,
                                           std::span<const TokenId> text,
                                           const PerplexityOptions& options,
                                           PhaseSink& sink);

}  // namespace modicum
