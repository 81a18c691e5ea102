// SPDX-License-Identifier: Apache-2.0
// A WordPiece vocabulary learned from texts, and the tokenizer of llama.cpp
// over it: what training reads is what llama.cpp reads when the model is used.
//
// WordPiece, because it is the tokenizer of the `bert` architecture, needs no
// further library, and comes out the same wherever it is learned.
#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/ggml/llama_handles.h"
#include "model/gguf/gguf_file.h"
#include "model/neural.h"

namespace modicum {

// The first tokens of every vocabulary.
enum SpecialToken : TokenId {
  kPadToken,
  kUnknownToken,
  kClassToken,      // before every text
  kSeparatorToken,  // after every text
  kMaskToken,
  kSpecialTokens,
};

// What makes llama.cpp read texts with this vocabulary.
GgufMetadata DescribeVocabulary(const std::vector<std::string>& tokens);

// `special` adds what the vocabulary wants around a text. kInvalidInput for a
// text that is too long or cannot be read.
Result<TokenIds> ReadTokens(const llama_vocab& vocabulary,
                            std::string_view text, bool special);

// Not thread-safe.
class WordPieceTokenizer {
 public:
  // `vocabulary` as DescribeVocabulary gives it, or as a file has it.
  static Result<std::unique_ptr<WordPieceTokenizer>> Open(
      const GgufMetadata& vocabulary);
  size_t size() const;  // of the vocabulary
  // With the class token before and the separator after.
  Result<TokenIds> Tokenize(std::string_view text) const;
  // Its pieces alone.
  Result<TokenIds> Pieces(std::string_view text) const;
  // What a piece stands for, with a space before the first of a word.
  std::string Piece(TokenId token) const;
  // The tokens around texts, and the one that hides another; none where the
  // vocabulary has none. Which one is unknown llama.cpp does not say.
  TextMarks marks() const;

 private:
  explicit WordPieceTokenizer(ModelHandle model) : model_(std::move(model)) {}
  const llama_vocab& vocabulary() const;
  const ModelHandle model_;
};

// Up to `size` tokens. Deterministic. kInterrupted when stopped.
Result<std::vector<std::string>> LearnVocabulary(
    std::span<const std::string_view> texts, size_t size,
    const std::stop_token& stop);

}  // namespace modicum
