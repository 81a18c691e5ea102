// SPDX-License-Identifier: Apache-2.0
// A tiny encoder and a batch for it, for tests.
#pragma once

#include <memory>
#include <vector>

#include "base/rng.h"
#include "model/ggml/encoder_graph.h"

namespace modicum {

inline constexpr EncoderShape kTwoLayers{.vocabulary = 11,
                                         .labels = 3,
                                         .width = 8,
                                         .layers = 2,
                                         .heads = 2,
                                         .feed_forward = 12,
                                         .context = 7};

// With what networks from elsewhere have.
inline constexpr EncoderShape kImported{.vocabulary = 11,
                                        .labels = 2,
                                        .width = 8,
                                        .layers = 2,
                                        .heads = 2,
                                        .feed_forward = 12,
                                        .context = 7,
                                        .token_types = 2,
                                        .key_bias = true};

// Texts of 1 to 7 tokens, soft targets.
inline EncoderBatch SomeBatch(const EncoderShape& shape, size_t texts) {
  Rng rng(5);
  std::vector<TokenIds> all;
  std::vector<uint32_t> which;
  for (size_t i = 0; i < texts; ++i) {
    TokenIds text(1 + i % shape.context);
    for (TokenId& token : text)
      token = static_cast<TokenId>(rng.Below(shape.vocabulary));
    all.push_back(text);
    which.push_back(static_cast<uint32_t>(i));
  }
  EncoderBatch batch = MakeBatch(all, which, shape.context);
  for (size_t i = 0; i < texts; ++i) {
    float left = 1;
    for (uint32_t label = 0; label + 1 < shape.labels; ++label) {
      const float share = left * static_cast<float>(rng.Unit());
      batch.targets.push_back(share);
      left -= share;
    }
    batch.targets.push_back(left);
  }
  return batch;
}

// Drawn, with norms, biases and places that matter too.
inline std::unique_ptr<EncoderWeights> SomeWeights(const EncoderShape& shape) {
  auto weights = std::make_unique<EncoderWeights>(shape);
  weights->Draw(3);
  Rng rng(4);
  std::vector<float> values = weights->Copy();
  for (float& value : values)
    value += static_cast<float>(0.3 * (rng.Unit() - 0.5));
  weights->Set(values);
  return weights;
}

}  // namespace modicum
