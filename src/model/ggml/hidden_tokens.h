// SPDX-License-Identifier: Apache-2.0
// Which tokens of a batch are hidden while an encoder learns the language
// (Devlin et al. 2019, BERT, section 3.1 and appendix A.1): 15 % of each text,
// of which 80 % become the mask, 10 % a token drawn at random, and 10 % stay
// as they are.
#pragma once

#include <vector>

#include "base/result.h"
#include "base/rng.h"
#include "model/ggml/encoder_graph.h"

namespace modicum {

inline constexpr double kHiddenShare = 0.15;
inline constexpr double kMaskedShare = 0.8;
inline constexpr double kDrawnShare = 0.1;
// 15 % are fewer than one in six.
inline constexpr uint32_t kHiddenOneIn = 6;

struct HidingRule {
  TokenId mask = 0;
  // Those that are neither hidden nor drawn: what stands around texts, what
  // fills, what is unknown.
  std::vector<bool> special = {};
};

// Of a vocabulary of `size` tokens. kInvalidInput: it has no mask token.
Result<HidingRule> HidingRuleOf(const TextMarks& marks, size_t size,
                                TokenId unknown);

// Hides tokens of each text, at least one where it has any that may be.
void HideTokens(const HidingRule& rule, Rng& rng, EncoderBatch& batch);

}  // namespace modicum
