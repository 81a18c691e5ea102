// SPDX-License-Identifier: Apache-2.0
// How a text is cut into words and each n-gram is hashed. One walk serves the
// plain hashes of text_features.h and the names of explain_text.h: what is
// done with an n-gram is a parameter.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "model/text_features.h"

namespace modicum {

// Appends `c` as UTF-8.
void AppendUtf8(char32_t c, std::string& out);

namespace internal {

// Longer runs without a blank (CJK text, base64) are cut into words of this
// many code points.
constexpr int kMaxWord = 64;

// 0: no part of a word. 1-127: the lower-cased character. 255: not ASCII.
constexpr std::array<uint8_t, 256> MakeClasses() {
  std::array<uint8_t, 256> classes{};
  for (size_t c = 0; c < 256; ++c) {
    const auto byte = static_cast<uint8_t>(c);
    if (c >= 'A' && c <= 'Z') classes[c] = static_cast<uint8_t>(byte + 32);
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')
      classes[c] = byte;
    if (c >= 128) classes[c] = 255;
  }
  return classes;
}
constexpr std::array<uint8_t, 256> kClasses = MakeClasses();

// Letters outside ASCII, as opposed to blanks, punctuation and symbols.
inline bool IsWordCharacter(char32_t c) {
  if (c < 0xC0) return c == 0xAA || c == 0xB5 || c == 0xBA;
  if (c == 0xD7 || c == 0xF7) return false;
  if (c >= 0x2000 && c <= 0x206F) return false;
  if (c >= 0x3000 && c <= 0x303F) return false;
  return c != 0xFEFF && c != 0xFFFD;
}

constexpr uint64_t kPrime = 0x9E3779B97F4A7C15ULL;
constexpr uint64_t kWordSeed = 0x243F6A8885A308D3ULL;
constexpr uint64_t kCharSeed = 0x13198A2E03707344ULL;

inline uint64_t Add(uint64_t hash, uint64_t unit) {
  return (hash ^ unit) * kPrime;
}

inline uint32_t Finish(uint64_t hash) {
  hash ^= hash >> 29;
  hash *= 0xBF58476D1CE4E5B9ULL;
  return static_cast<uint32_t>(hash >> 32);
}

// Cuts a text into words and hashes what each completes. The visitor has
//   EndWord(std::span<const char32_t> word)           before its n-grams
//   Words(uint32_t hash, int n)                       the last n words
//   Characters(uint32_t hash, std::span<const char32_t> ngram)
template <class Visitor>
class Hasher {
 public:
  Hasher(const FeatureConfig& config, Visitor& visitor)
      : config_(config),
        mask_(config.hash_bits == 0 ? UINT32_MAX
                                    : UINT32_MAX >> (32 - config.hash_bits)),
        visitor_(visitor) {}

  void Run(std::string_view text) {
    size_t at = 0;
    while (at < text.size()) at = Word(text, at);
  }

 private:
  // Reads one word, or one character between words; returns where it ends.
  size_t Word(std::string_view text, size_t at) {
    uint64_t hash = kWordSeed;
    int length = 0;
    while (at < text.size() && length < kMaxWord) {
      const uint8_t lowered = kClasses[static_cast<uint8_t>(text[at])];
      if (lowered == 0) {
        ++at;
        break;
      }
      char32_t c = lowered;
      size_t next = at + 1;
      if (lowered == 255) {
        next = at;
        c = NextLowered(text, &next);
        if (!IsWordCharacter(c)) {
          at = next;
          break;
        }
      }
      at = next;
      hash = Add(hash, c);
      word_[static_cast<size_t>(++length)] = c;
    }
    if (length > 0) EndWord(hash, length);
    return at;
  }

  void EndWord(uint64_t hash, int length) {
    visitor_.EndWord(std::span(word_).subspan(1, static_cast<size_t>(length)));
    if (config_.words.max > 0) EmitWords(hash);
    if (config_.chars.max > 0) EmitChars(length);
  }

  // The n-grams that end in this word.
  void EmitWords(uint64_t hash) {
    if (config_.words.min == 1) visitor_.Words(Finish(hash) & mask_, 1);
    uint64_t joined = hash;
    const int longest = std::min<int>(config_.words.max, seen_ + 1);
    for (int n = 2; n <= longest; ++n) {
      joined = Add(joined * kPrime, last_[static_cast<size_t>(n - 2)]);
      if (n >= config_.words.min) visitor_.Words(Finish(joined) & mask_, n);
    }
    std::copy_backward(last_.begin(), last_.end() - 1, last_.end());
    last_[0] = hash;
    seen_ = std::min(seen_ + 1, kMaxWordNgram);
  }

  void EmitChars(int length) {
    const auto end = static_cast<size_t>(length) + 2;  // with both blanks
    word_[0] = word_[end - 1] = ' ';
    for (size_t begin = 0; begin + config_.chars.min <= end; ++begin) {
      uint64_t hash = kCharSeed;
      const size_t stop = std::min<size_t>(end, begin + config_.chars.max);
      for (size_t i = begin; i < stop; ++i) {
        hash = Add(hash, word_[i]);
        const size_t n = i + 1 - begin;
        if (n >= config_.chars.min)
          visitor_.Characters(Finish(hash) & mask_,
                              std::span(word_).subspan(begin, n));
      }
    }
  }

  const FeatureConfig config_;
  const uint32_t mask_;
  Visitor& visitor_;
  std::array<uint64_t, kMaxWordNgram> last_{};  // newest first
  int seen_ = 0;
  std::array<char32_t, kMaxWord + 2> word_{};
};

}  // namespace internal

}  // namespace modicum
