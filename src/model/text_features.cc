// SPDX-License-Identifier: Apache-2.0
#include "model/text_features.h"

#include <charconv>

#include "model/text_hasher.h"

namespace modicum {

namespace {

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

bool ParseDigit(std::string_view text, uint8_t* value) {
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

// Keeps every hash.
struct Collect {
  std::vector<uint32_t>& out;
  void EndWord(std::span<const char32_t>) {}
  void Words(uint32_t hash, int) { out.push_back(hash); }
  void Characters(uint32_t hash, std::span<const char32_t>) {
    out.push_back(hash);
  }
};

}  // namespace

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
  Collect collect{hashes};
  internal::Hasher(config, collect).Run(text);
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
