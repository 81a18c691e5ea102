// SPDX-License-Identifier: Apache-2.0
// For tests: a network that does nothing until a method is overridden.
#pragma once

#include "model/neural.h"

namespace modicum {

class FakeNetwork : public NeuralModel {
 public:
  FakeNetwork() { info_.path = "fake"; }
  const NeuralInfo& info() const override { return info_; }
  Result<TokenIds> Tokenize(std::string_view, bool) const override {
    return TokenIds{};
  }
  Result<TokenIds> TokenizePair(std::string_view,
                                std::string_view) const override {
    return TokenIds{};
  }
  std::string Piece(TokenId) const override { return ""; }
  Result<Generation> Generate(std::span<const TokenId>, const GenerateOptions&,
                              const std::function<bool(std::string_view)>&,
                              PhaseSink&) override {
    return Generation{};
  }
  Status Logits(std::span<const TokenId>, size_t, const CallOptions&,
                const std::function<void(size_t, std::span<const float>)>&,
                PhaseSink&) override {
    return {};
  }
  Result<std::vector<double>> LogLikelihoods(std::span<const TokenId>,
                                             std::span<const TokenIds>,
                                             const CallOptions&,
                                             PhaseSink&) override {
    return std::vector<double>{};
  }
  Result<std::vector<Importance>> MeasureImportance(std::span<const TokenId>,
                                                    const CallOptions&,
                                                    PhaseSink&) override {
    return std::vector<Importance>{};
  }
  Result<std::vector<std::vector<float>>> Embed(std::span<const TokenIds>, bool,
                                                const CallOptions&,
                                                PhaseSink&) override {
    return std::vector<std::vector<float>>{};
  }
  Result<std::vector<std::vector<float>>> Classify(std::span<const TokenIds>,
                                                   const CallOptions&,
                                                   PhaseSink&) override {
    return std::vector<std::vector<float>>{};
  }

 protected:
  NeuralInfo info_;
};

}  // namespace modicum
