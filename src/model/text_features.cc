// SPDX-License-Identifier: Apache-2.0
#include "model/text_features.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace modicum {

namespace {

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

char32_t Lower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  if (c >= 0xC0 && c <= 0xDE) return c == 0xD7 ? c : c + 32;
  if (c >= 0x100 && c <= 0x17F) {
    if (c == 0x130) return 'i';
    if (c == 0x178) return 0xFF;
    if (c == 0x138 || c == 0x149 || c == 0x17F) return c;
    // Upper case is even up to U+0137 and from U+014A to U+0177, else odd.
    const bool even = c < 0x138 || (c >= 0x14A && c <= 0x177);
    return (c % 2 == 0) == even ? c + 1 : c;
  }
  if (c >= 0x391 && c <= 0x3A9 && c != 0x3A2) return c + 32;
  if (c >= 0x410 && c <= 0x42F) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  return c;
}

bool IsContinuation(char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; }

char32_t Low6(char c) { return static_cast<uint8_t>(c) & 0x3FU; }

// Letters outside ASCII, as opposed to blanks, punctuation and symbols.
bool IsWordCharacter(char32_t c) {
  if (c < 0xC0) return c == 0xAA || c == 0xB5 || c == 0xBA;
  if (c == 0xD7 || c == 0xF7) return false;
  if (c >= 0x2000 && c <= 0x206F) return false;
  if (c >= 0x3000 && c <= 0x303F) return false;
  return c != 0xFEFF && c != 0xFFFD;
}

constexpr uint64_t kPrime = 0x9E3779B97F4A7C15ULL;
constexpr uint64_t kWordSeed = 0x243F6A8885A308D3ULL;
constexpr uint64_t kCharSeed = 0x13198A2E03707344ULL;

uint64_t Add(uint64_t hash, uint64_t unit) { return (hash ^ unit) * kPrime; }

uint32_t Finish(uint64_t hash) {
  hash ^= hash >> 29;
  hash *= 0xBF58476D1CE4E5B9ULL;
  return static_cast<uint32_t>(hash >> 32);
}

// Cuts a text into words and hashes what each completes.
class Hasher {
 public:
  Hasher(const FeatureConfig& config, std::vector<uint32_t>& out)
      : config_(config), out_(out) {}

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
    if (config_.words.max > 0) EmitWords(hash);
    if (config_.chars.max > 0) EmitChars(length);
  }

  // The n-grams that end in this word.
  void EmitWords(uint64_t hash) {
    if (config_.words.min == 1) out_.push_back(Finish(hash));
    uint64_t joined = hash;
    const int longest = std::min<int>(config_.words.max, seen_ + 1);
    for (int n = 2; n <= longest; ++n) {
      joined = Add(joined * kPrime, last_[static_cast<size_t>(n - 2)]);
      if (n >= config_.words.min) out_.push_back(Finish(joined));
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
        if (i + 1 - begin >= config_.chars.min) out_.push_back(Finish(hash));
      }
    }
  }

  const FeatureConfig config_;
  std::vector<uint32_t>& out_;
  std::array<uint64_t, kMaxWordNgram> last_{};  // newest first
  int seen_ = 0;
  std::array<char32_t, kMaxWord + 2> word_{};
};

void AppendUtf8(char32_t c, std::string& out) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

bool ParseDigit(std::string_view text, uint8_t* value) {
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

char32_t NextLowered(std::string_view text, size_t* at) {
  const char* p = text.data() + *at;
  const size_t left = text.size() - *at;
  const auto lead = static_cast<uint8_t>(*p);
  if (lead >= 0xC2 && lead < 0xE0 && left > 1 && IsContinuation(p[1])) {
    *at += 2;
    return Lower(((lead & 0x1FU) << 6) | Low6(p[1]));
  }
  if (lead >= 0xE0 && lead < 0xF0 && left > 2 && IsContinuation(p[1]) &&
      IsContinuation(p[2])) {
    const char32_t c = ((lead & 0x0FU) << 12) | (Low6(p[1]) << 6) | Low6(p[2]);
    if (c >= 0x800) {  // not an overlong form
      *at += 3;
      return Lower(c);
    }
  }
  if (lead >= 0xF0 && lead < 0xF5 && left > 3 && IsContinuation(p[1]) &&
      IsContinuation(p[2]) && IsContinuation(p[3])) {
    const char32_t c = ((lead & 0x07U) << 18) | (Low6(p[1]) << 12) |
                       (Low6(p[2]) << 6) | Low6(p[3]);
    if (c >= 0x10000) {
      *at += 4;
      return c;
    }
  }
  *at += 1;
  return Lower(lead);
}

Result<NgramRange> ParseNgramRange(std::string_view text, std::string_view name,
                                   int limit) {
  if (text == "none") return NgramRange{};
  const size_t dash = text.find('-');
  NgramRange range;
  const bool parsed =
      ParseDigit(text.substr(0, dash), &range.min) &&
      ParseDigit(dash == text.npos ? text : text.substr(dash + 1), &range.max);
  if (!parsed || range.min < 1 || range.min > range.max || range.max > limit) {
    return Fail(
        ErrorCode::kInvalidInput,
        std::string(name) + " = '" + std::string(text) +
            "' is not a range of n-gram lengths",
        "write it as '1-2', '3' or 'none', at most " + std::to_string(limit));
  }
  return range;
}

void HashFeatures(std::string_view text, const FeatureConfig& config,
                  std::vector<uint32_t>& hashes) {
  Hasher(config, hashes).Run(text);
}

std::string LowerCased(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<uint8_t>(text[at]);
    if (byte < 0x80) {
      const bool upper = byte >= 'A' && byte <= 'Z';
      out += byte < ' ' || byte == 127 ? ' '
                                       : static_cast<char>(byte + upper * 32);
      ++at;
    } else {
      AppendUtf8(NextLowered(text, &at), out);
    }
  }
  return out;
}

Result<std::string_view> TextOf(const Item& item) {
  if (const auto* text = std::get_if<Text>(&item.payload))
    return std::string_view(text->text);
  return Fail(ErrorCode::kInvalidInput,
              "item " + std::to_string(item.id) +
                  " is not a text, and this model reads only text");
}

}  // namespace modicum
