// SPDX-License-Identifier: Apache-2.0
// One example: a payload and, where known, what a model should answer.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace modicum {

struct Text {
  std::string text;  // valid UTF-8
};
struct TextPair {
  std::string first;
  std::string second;
};
struct Tokens {
  std::vector<std::string> words;
};
struct Image {
  int width = 0;
  int height = 0;
  int channels = 0;
  std::vector<uint8_t> pixels;  // height x width x channels, row major
};
struct Audio {
  int sample_rate = 0;
  std::vector<float> samples;  // mono, -1 to 1
};

// A row of a numeric table: one value per Dataset::columns; NaN = missing.
struct Numbers {
  std::vector<float> values;
};

using Payload = std::variant<Text, TextPair, Tokens, Image, Audio, Numbers>;

// Index into the dataset's label names; kUnlabelled where not given.
using LabelIndex = int32_t;
inline constexpr LabelIndex kUnlabelled = -1;

struct Item {
  uint64_t id = 0;     // row in the source, 0-based
  uint64_t group = 0;  // near-duplicates share one; the split keeps it whole
  Payload payload;
  LabelIndex label = kUnlabelled;
  // Where the answer is no label: a tag for each word, or every text that
  // answers a question.
  std::vector<std::string> wanted = {};
};

}  // namespace modicum
