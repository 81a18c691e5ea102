// SPDX-License-Identifier: Apache-2.0
// The encoder's forward pass written down plainly in double precision, without
// ggml: what the tests compare with.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/ggml/encoder_graph.h"

namespace modicum {

class ReferenceEncoder {
 public:
  using Rows = std::vector<std::vector<double>>;  // one a token

  enum class Activation { kTanh, kErf };  // GELU by which form
  explicit ReferenceEncoder(const EncoderWeights& weights,
                            Activation activation = Activation::kTanh);

  // Logits of one text.
  std::vector<double> Logits(const std::vector<int32_t>& tokens) const;
  // Of each token, by a head that says something of tokens; from `second` on
  // they are of the second kind, where it is not 0.
  Rows TokenLogits(const std::vector<int32_t>& tokens, size_t second = 0) const;
  // The mean cross-entropy of a batch: of its texts, or of what is asked.
  double Loss(const EncoderBatch& batch) const;

  std::vector<double>& values(const std::string& name) {
    return values_.at(name);
  }

 private:
  Rows Body(const std::vector<int32_t>& tokens, size_t second) const;
  Rows Activate(Rows x) const;
  double AskedLoss(const EncoderBatch& batch) const;
  double AnswerLoss(const EncoderBatch& batch) const;
  Rows Linear(const std::string& name, const Rows& x, bool bias = true) const;
  Rows Norm(const std::string& name, const Rows& x) const;
  Rows Attend(const std::string& prefix, const Rows& x) const;

  const EncoderShape shape_;
  const Activation activation_;
  std::map<std::string, std::vector<double>> values_;
};

}  // namespace modicum
