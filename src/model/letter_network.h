// SPDX-License-Identifier: Apache-2.0
// A network for tests: a token is a byte, a text's vector counts its letters,
// and a label is the likelier the more of its letters the prompt's last line
// but one has.
#pragma once

#include <algorithm>
#include <cmath>

#include "model/fake_network.h"

namespace modicum {

class LetterNetwork : public FakeNetwork {
 public:
  explicit LetterNetwork(bool generates = true, uint32_t context = 4096) {
    info_.path = "fake.gguf";
    info_.width = 26;
    info_.context = context;
    info_.parameters = 1000;
    info_.generates = generates;
  }

  int embedded() const { return embedded_; }  // texts so far
  const std::vector<TokenIds>& asked() const { return asked_; }

  Result<TokenIds> Tokenize(std::string_view text,
                            bool special) const override {
    TokenIds tokens;
    if (special) tokens.push_back(1);
    for (const char c : text) tokens.push_back(2 + static_cast<uint8_t>(c));
    return tokens;
  }
  std::string Piece(TokenId token) const override {
    return token < 2 ? "" : std::string(1, static_cast<char>(token - 2));
  }

  Result<std::vector<double>> LogLikelihoods(
      std::span<const TokenId> prompt, std::span<const TokenIds> continuations,
      const CallOptions& call, PhaseSink& sink) override {
    if (call.stop.stop_requested())
      return Fail(ErrorCode::kInterrupted, "interrupted");
    sink.Begin(Phase::kPrefill);
    asked_.emplace_back(prompt.begin(), prompt.end());
    const std::vector<float> seen = Letters(LastText(prompt));
    std::vector<double> likelihoods;
    for (const TokenIds& label : continuations) {
      const std::vector<float> own = Letters(TextOf(label));
      double score = bias * static_cast<double>(label.size());
      for (size_t i = 0; i < own.size(); ++i)
        score += double{own[i]} * double{seen[i]};
      likelihoods.push_back(score - 10);
    }
    return likelihoods;
  }

  Result<std::vector<std::vector<float>>> Embed(std::span<const TokenIds> texts,
                                                bool, const CallOptions& call,
                                                PhaseSink& sink) override {
    if (call.stop.stop_requested())
      return Fail(ErrorCode::kInterrupted, "interrupted");
    sink.Begin(Phase::kPrefill);
    std::vector<std::vector<float>> vectors;
    for (const TokenIds& text : texts) vectors.push_back(Letters(TextOf(text)));
    embedded_ += static_cast<int>(texts.size());
    return vectors;
  }

  double bias = 0;  // per token of a label

 private:
  std::string TextOf(std::span<const TokenId> tokens) const {
    std::string text;
    for (const TokenId token : tokens) text += Piece(token);
    return text;
  }
  // What stands in the last line that is a text: "Text: ...".
  std::string LastText(std::span<const TokenId> prompt) const {
    const std::string text = TextOf(prompt);
    const size_t at = text.rfind("Text: ");
    return at == text.npos ? text : text.substr(at + 6, text.find('\n', at));
  }
  static std::vector<float> Letters(const std::string& text) {
    std::vector<float> counts(26);
    for (const char c : text)
      if (c >= 'a' && c <= 'z') ++counts[static_cast<size_t>(c - 'a')];
    float sum = 0;
    for (const float count : counts) sum += count * count;
    for (float& count : counts) count /= std::sqrt(std::max(sum, 1.0F));
    return counts;
  }

  int embedded_ = 0;
  std::vector<TokenIds> asked_;
};

}  // namespace modicum
