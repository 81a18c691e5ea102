// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/vectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace modicum {

void Normalize(std::vector<float>& vector) {
  double sum = 0;
  for (const float x : vector) sum += double{x} * double{x};
  if (sum == 0) return;
  for (float& x : vector) x = static_cast<float>(double{x} / std::sqrt(sum));
}

Status CheckNoneEmpty(std::span<const TokenIds> texts) {
  const auto empty = std::ranges::find_if(texts, &TokenIds::empty);
  if (empty == texts.end()) return {};
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("text {} is empty", empty - texts.begin() + 1),
              "give it at least one token");
}

Status CheckNumbers(const std::string& path, std::span<const float> numbers) {
  if (std::ranges::all_of(numbers, [](float x) { return std::isfinite(x); }))
    return {};
  return Fail(ErrorCode::kInvalidInput,
              path + " gives NaN or infinity: its weights are broken",
              "the training diverged or the file was altered: take another "
              "(without --trust the tensor is named)");
}

TokenIds CutTo(const TokenIds& tokens, size_t longest) {
  if (tokens.size() <= longest) return tokens;
  TokenIds cut(tokens.begin(),
               tokens.begin() + static_cast<std::ptrdiff_t>(longest));
  cut.back() = tokens.back();
  return cut;
}

tl::unexpected<Error> NoVectors(const std::string& path) {
  return Fail(ErrorCode::kUnavailable,
              path + " classifies texts: it has no vectors of them",
              "use a network without a classification head");
}

tl::unexpected<Error> NoClasses(const std::string& path) {
  return Fail(ErrorCode::kUnavailable, path + " has no classification head");
}

tl::unexpected<Error> NoDecoder(const std::string& path) {
  return Fail(ErrorCode::kUnavailable,
              path + " is an encoder: it continues no text",
              "use `modicum embed`, or a network that generates");
}

tl::unexpected<Error> NoReranker(const std::string& path) {
  return Fail(ErrorCode::kUnavailable,
              path + " is no reranker: an encoder with a head of one output is",
              "take one that was trained to rank, a cross-encoder");
}

}  // namespace modicum
