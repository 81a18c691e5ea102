// SPDX-License-Identifier: Apache-2.0
// The next token from a network's logits. Equal seeds give equal tokens.
#pragma once

#include <span>
#include <vector>

#include "base/rng.h"
#include "model/neural.h"

namespace modicum {

// Of the top_k likeliest tokens those that are at least min_p times as likely
// as the first and among the first whose probabilities add up to top_p; of
// them one is drawn by its probability at the temperature. At temperature 0
// the likeliest (of equals, the first) without drawing. A NaN is no candidate.
class Sampler {
 public:
  explicit Sampler(const GenerateOptions& options)
      : options_(options), rng_(options.call.seed) {}

  TokenId Pick(std::span<const float> logits);

 private:
  struct Candidate {
    TokenId token;
    float logit;
    double weight;  // exp(logit - the highest)
  };
  void CollectTopK(std::span<const float> logits);
  void CutMinP();
  void CutTopP(double total);
  TokenId Draw();

  const GenerateOptions& options_;
  Rng rng_;
  std::vector<Candidate> candidates_;
};

}  // namespace modicum
