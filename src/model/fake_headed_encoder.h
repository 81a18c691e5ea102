// SPDX-License-Identifier: Apache-2.0
// For tests: an encoder whose pieces are letters and whose logits are told.
// The first letter of a word is its upper-case twin, so that "ab" is "A", "b".
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/neural.h"

namespace modicum {

class FakeHeadedEncoder final : public HeadedEncoder {
 public:
  static constexpr TokenId kBegin = 1, kSeparator = 2, kMask = 3, kUnknown = 4;

  // Numbers of the row at `place`.
  using Row =
      std::function<std::vector<float>(const AskedText& text, uint32_t place)>;

  FakeHeadedEncoder(HeadKind kind, Row row)
      : kind_(kind), row_(std::move(row)) {
    info_.path = "fake";
    info_.architecture = "fake";
    info_.context = 512;
    info_.vocabulary = 128;
    info_.parameters = 1000;
  }
  NeuralInfo& facts() { return info_; }
  const std::vector<AskedText>& asked() const { return asked_; }

  const NeuralInfo& info() const override { return info_; }
  HeadKind kind() const override { return kind_; }
  TextMarks marks() const override {
    return {kBegin, kSeparator, kMask, kUnknown};
  }
  Result<TokenIds> Pieces(std::string_view text) const override {
    TokenIds pieces;
    bool begins = true;
    for (const char c : text) {
      const bool letter = c >= 'a' && c <= 'z';
      if (c != ' ')
        pieces.push_back(letter ? (begins ? c - 'a' + 'A' : c) : kUnknown);
      begins = !letter;
    }
    return pieces;
  }
  std::string Piece(TokenId token) const override {
    if (token < 'A') return "[?]";
    const auto c = static_cast<char>(token);
    return c <= 'Z' ? " " + std::string(1, static_cast<char>(c - 'A' + 'a'))
                    : std::string(1, c);
  }
  Result<std::vector<std::vector<float>>> Logits(
      std::span<const AskedText> texts, const CallOptions&,
      PhaseSink& sink) override {
    sink.Begin(Phase::kPrefill);
    asked_.assign(texts.begin(), texts.end());
    std::vector<std::vector<float>> all;
    for (const AskedText& text : texts) {
      std::vector<float>& logits = all.emplace_back();
      for (const uint32_t place : text.places) {
        const std::vector<float> row = row_(text, place);
        logits.insert(logits.end(), row.begin(), row.end());
      }
    }
    return all;
  }

 private:
  const HeadKind kind_;
  const Row row_;
  NeuralInfo info_;
  std::vector<AskedText> asked_;
};

}  // namespace modicum
