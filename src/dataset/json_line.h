// SPDX-License-Identifier: Apache-2.0
// Chosen members of one JSON object per line, fast: what `predict` and the
// loader read. The whole line is checked, also the parts nobody asked for.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace modicum {

// Keeps its buffers between lines. Not thread-safe: one per thread.
class JsonLineReader {
 public:
  JsonLineReader();
  ~JsonLineReader();
  JsonLineReader(const JsonLineReader&) = delete;
  JsonLineReader& operator=(const JsonLineReader&) = delete;

  // values[i] becomes the member named keys[i]: a string unescaped, a number
  // or boolean as written; nullopt when absent or null. The last of two equal
  // keys counts. kInvalidInput says what is wrong and at which byte (0-based).
  Status Read(std::string_view line, std::span<const std::string_view> keys,
              std::span<std::optional<std::string>> values);
  // The same, and numbers[i] becomes the number named columns[i]; NaN when
  // absent or null. No name is in both lists. Also kInvalidInput: a string or
  // a boolean where a number belongs, a number beyond single precision.
  Status ReadRow(std::string_view line,
                 std::span<const std::string_view> columns,
                 std::span<float> numbers,
                 std::span<const std::string_view> keys,
                 std::span<std::optional<std::string>> values);
  // All top-level keys, in order.
  Result<std::vector<std::string>> Keys(std::string_view line);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// `text` as a JSON string, quotes included. Requires valid UTF-8.
std::string JsonString(std::string_view text);

}  // namespace modicum
