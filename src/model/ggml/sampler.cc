// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/sampler.h"

#include <algorithm>
#include <cmath>

namespace modicum {
namespace {

TokenId Likeliest(std::span<const float> logits) {
  size_t best = 0;
  for (size_t i = 1; i < logits.size(); ++i)
    if (logits[i] > logits[best]) best = i;
  return static_cast<TokenId>(best);
}

}  // namespace

TokenId Sampler::Pick(std::span<const float> logits) {
  if (options_.temperature <= 0) return Likeliest(logits);
  CollectTopK(logits);
  if (candidates_.empty()) return Likeliest(logits);
  double total = 0;
  for (const Candidate& candidate : candidates_) total += candidate.weight;
  // First what needs no order: few are left to sort.
  CutMinP();
  CutTopP(total);
  return Draw();
}

void Sampler::CollectTopK(std::span<const float> logits) {
  candidates_.clear();
  for (size_t i = 0; i < logits.size(); ++i)
    if (logits[i] > -INFINITY)
      candidates_.push_back({static_cast<TokenId>(i), logits[i], 0});
  const auto k = static_cast<size_t>(std::max(0, options_.top_k));
  if (k > 0 && k < candidates_.size()) {
    std::nth_element(
        candidates_.begin(), candidates_.begin() + static_cast<ptrdiff_t>(k),
        candidates_.end(), [](const auto& a, const auto& b) {
          return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
        });
    candidates_.resize(k);
  }
  float highest = -INFINITY;
  for (const Candidate& candidate : candidates_)
    highest = std::max(highest, candidate.logit);
  for (Candidate& candidate : candidates_)
    candidate.weight = std::exp(double{candidate.logit} - double{highest});
}

void Sampler::CutMinP() {
  std::erase_if(candidates_, [this](const Candidate& candidate) {
    return candidate.weight < options_.min_p;  // the first's is 1
  });
}

void Sampler::CutTopP(double total) {
  // In a fixed order, whatever nth_element left: what is drawn hangs on it.
  std::sort(candidates_.begin(), candidates_.end(),
            [](const auto& a, const auto& b) {
              return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
            });
  double sum = 0;
  size_t kept = 0;
  while (kept < candidates_.size()) {
    sum += candidates_[kept++].weight;
    if (sum >= options_.top_p * total) break;
  }
  candidates_.resize(kept);
}

TokenId Sampler::Draw() {
  double total = 0;
  for (Candidate& candidate : candidates_) {
    candidate.weight = std::exp(double{candidate.logit - candidates_[0].logit} /
                                options_.temperature);
    total += candidate.weight;
  }
  double left = rng_.Unit() * total;
  for (const Candidate& candidate : candidates_) {
    left -= candidate.weight;
    if (left < 0) return candidate.token;
  }
  return candidates_.back().token;  // rounding
}

}  // namespace modicum
