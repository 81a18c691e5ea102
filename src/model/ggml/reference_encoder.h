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
  explicit ReferenceEncoder(const EncoderWeights& weights);

  // Logits of one text.
  std::vector<double> Logits(const std::vector<int32_t>& tokens) const;
  // The mean cross-entropy of a batch.
  double Loss(const EncoderBatch& batch) const;

  std::vector<double>& values(const std::string& name) {
    return values_.at(name);
  }

 private:
  using Rows = std::vector<std::vector<double>>;  // one a token

  Rows Linear(const std::string& name, const Rows& x, bool bias = true) const;
  Rows Norm(const std::string& name, const Rows& x) const;
  Rows Attend(const std::string& prefix, const Rows& x) const;

  const EncoderShape shape_;
  std::map<std::string, std::vector<double>> values_;
};

}  // namespace modicum
