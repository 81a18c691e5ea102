// SPDX-License-Identifier: Apache-2.0
// A BERT-style text classifier as llama.cpp's `bert` architecture computes it
// (token and position embeddings, LayerNorm after every block, the first
// token pooled through tanh), with gradients; or the same body with a head that
// learns something of each token.
#pragma once

#include <ggml-alloc.h>

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "base/result.h"
#include "base/rng.h"
#include "base/units.h"
#include "model/ggml/encoder_weights.h"
#include "model/neural.h"

namespace modicum {

// Texts side by side, filled up to the longest. What fills has no influence.
struct EncoderBatch {
  uint32_t length = 0;
  std::vector<int32_t> tokens;    // `length` a text
  std::vector<uint32_t> lengths;  // of the texts, in 1..length
  // From which token on each is of its second text; empty: all have one.
  std::vector<uint32_t> seconds = {};
  // Instead of tokens what a body made of those that the head sees: of each
  // text's first, of those that are asked about, of all for answers. Only the
  // head is computed.
  std::vector<float> read = {};
  // Wanted probabilities, one per label a text; empty when only asked.
  std::vector<float> targets = {};
  // With a head for each token: which of `tokens` are asked about, and what is
  // wanted of each, its label or the token that it was. Of answers none are
  // asked about, all tokens of second texts are; wanted are the places of the
  // first and the last token of each text's answer.
  std::vector<int32_t> asked = {}, wanted = {};

  size_t texts() const { return lengths.size(); }
};
// The texts at `which`, cut to `longest` tokens; the last token stays last.
EncoderBatch MakeBatch(std::span<const TokenIds> texts,
                       std::span<const uint32_t> which, uint32_t longest);

// Shares of the activations that are dropped while training.
struct Dropout {
  float embedding = 0;
  float hidden = 0;  // of what each block adds
  float pooled = 0;
};

// Not thread-safe. Lifetime: the weights outlive it.
class EncoderGraph {
 public:
  EncoderGraph(EncoderWeights& weights, int threads, std::stop_token stop);
  ~EncoderGraph();

  // Logits, one per label a text; with a head for each token, as many a token
  // that is asked about as the head gives; of answers, for each text that one
  // begins at each of `length` places, then that it ends there. kInterrupted
  // when stopped.
  Result<std::vector<float>> Logits(const EncoderBatch& batch);
  // The vector of each text's first token after the last layer: what the head
  // sees, `width` numbers a text. kInterrupted when stopped.
  Result<std::vector<float>> Read(const EncoderBatch& batch);
  // The mean cross-entropy of the batch; adds `weight` times its gradient to
  // the weights'.
  Result<double> Gradients(const EncoderBatch& batch, const Dropout& dropout,
                           float weight, Rng& rng);
  // What one call to Gradients for `texts` texts of `length` tokens needs
  // beside the weights; where the head alone learns, texts are read before.
  Bytes WorkingMemory(uint32_t texts, uint32_t length);

 private:
  struct Build;
  Status Run(Build& build);
  // Runs what was built up to `output`, and returns that.
  Result<std::vector<float>> Compute(Build& build, ggml_tensor* output);

  EncoderWeights& weights_;
  const std::stop_token stop_;
  std::vector<uint8_t> arena_;  // of the graph's nodes, not of their numbers
  ggml_backend* backend_;
  ggml_gallocr* allocator_;
};

}  // namespace modicum
