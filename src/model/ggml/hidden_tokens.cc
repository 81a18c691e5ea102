// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/hidden_tokens.h"

#include <algorithm>
#include <cmath>

namespace modicum {

namespace {

TokenId Drawn(const HidingRule& rule, Rng& rng) {
  while (true) {
    const uint32_t token =
        rng.Below(static_cast<uint32_t>(rule.special.size()));
    if (!rule.special[token]) return static_cast<TokenId>(token);
  }
}

// What is shown in the place of `token`.
TokenId Replacement(const HidingRule& rule, TokenId token, Rng& rng) {
  const double what = rng.Unit();
  if (what < kMaskedShare) return rule.mask;
  return what < kMaskedShare + kDrawnShare ? Drawn(rule, rng) : token;
}

}  // namespace

Result<HidingRule> HidingRuleOf(const TextMarks& marks, size_t size,
                                TokenId unknown) {
  if (!marks.mask)
    return Fail(ErrorCode::kInvalidInput,
                "the base's vocabulary has no mask token: no token can be "
                "hidden while it learns",
                "take a base whose vocabulary has one, or none");
  HidingRule rule;
  rule.mask = *marks.mask;
  rule.special.resize(size);
  for (const auto& token :
       {marks.begin, marks.separator, marks.mask, std::optional(unknown)})
    if (token) rule.special[static_cast<size_t>(*token)] = true;
  return rule;
}

void HideTokens(const HidingRule& rule, Rng& rng, EncoderBatch& batch) {
  for (size_t text = 0; text < batch.texts(); ++text) {
    std::vector<size_t> places;
    for (size_t i = 0; i < batch.lengths[text]; ++i) {
      const size_t at = text * batch.length + i;
      if (!rule.special[static_cast<size_t>(batch.tokens[at])])
        places.push_back(at);
    }
    if (places.empty()) continue;
    const double share = kHiddenShare * static_cast<double>(places.size());
    const size_t count =
        std::max<size_t>(1, static_cast<size_t>(std::lround(share)));
    rng.Shuffle(places);
    places.resize(count);
    std::ranges::sort(places);
    for (const size_t at : places) {
      batch.asked.push_back(static_cast<int32_t>(at));
      batch.wanted.push_back(batch.tokens[at]);
      batch.tokens[at] = Replacement(rule, batch.tokens[at], rng);
    }
  }
}

}  // namespace modicum
