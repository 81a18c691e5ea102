// SPDX-License-Identifier: Apache-2.0
#include "model/params.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/suggest.h"
#include "model/text_features.h"

namespace modicum {

namespace {

struct ValueText {
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const {
    return fmt::format("{}", value);
  }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
};

const ParamValue* FindParam(const Params& params, std::string_view name) {
  const auto it = params.find(std::string(name));
  return it == params.end() ? nullptr : &it->second;
}

auto BadParam(std::string_view name, const ParamValue& value,
              const std::string& expected) {
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("parameter {} = {}: {} expected", name,
                          std::visit(ValueText(), value), expected));
}

}  // namespace

std::string ToString(const Params& params) {
  std::string text;
  for (const auto& [name, value] : params) {
    if (!text.empty()) text += ' ';
    text += name + "=" + std::visit(ValueText(), value);
  }
  return text;
}

Status CheckParamNames(const Params& params, std::string_view family,
                       std::span<const std::string_view> known) {
  for (const auto& [name, value] : params) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("family {} has no parameter '{}'{}", family, name,
                            DidYouMean(name, known)),
                fmt::format("it has: {}", fmt::join(known, ", ")));
  }
  return {};
}

Result<double> NumberParam(const Params& params, std::string_view name,
                           double fallback, double low, double high) {
  const ParamValue* value = FindParam(params, name);
  if (value == nullptr) return fallback;
  double number = NAN;
  if (const auto* real = std::get_if<double>(value)) number = *real;
  if (const auto* whole = std::get_if<int64_t>(value))
    number = static_cast<double>(*whole);
  if (number >= low && number <= high) return number;
  return BadParam(name, *value,
                  fmt::format("a number from {} to {}", low, high));
}

Result<int64_t> IntegerParam(const Params& params, std::string_view name,
                             int64_t fallback, int64_t low, int64_t high) {
  const ParamValue* value = FindParam(params, name);
  if (value == nullptr) return fallback;
  const auto* number = std::get_if<int64_t>(value);
  if (number != nullptr && *number >= low && *number <= high) return *number;
  return BadParam(name, *value,
                  fmt::format("a whole number from {} to {}", low, high));
}

Result<std::string> TextParam(const Params& params, std::string_view name,
                              std::string_view fallback) {
  const ParamValue* value = FindParam(params, name);
  if (value == nullptr) return std::string(fallback);
  if (const auto* text = std::get_if<std::string>(value)) return *text;
  // 3 means the same as "3".
  if (const auto* whole = std::get_if<int64_t>(value))
    return std::to_string(*whole);
  return BadParam(name, *value, "text");
}

Result<FeatureConfig> FeatureParams(const Params& params,
                                    std::string_view words) {
  FeatureConfig config;
  MODICUM_TRY(const std::string word, TextParam(params, "word_ngrams", words));
  MODICUM_TRY(config.words,
              ParseNgramRange(word, "word_ngrams", kMaxWordNgram));
  MODICUM_TRY(const std::string chars,
              TextParam(params, "char_ngrams", "none"));
  MODICUM_TRY(config.chars,
              ParseNgramRange(chars, "char_ngrams", kMaxCharNgram));
  if (config.words.max == 0 && config.chars.max == 0) {
    return Fail(ErrorCode::kInvalidInput,
                "word_ngrams and char_ngrams are both 'none'");
  }
  MODICUM_TRY(config.hash_bits, HashBitsParam(params));
  return config;
}

Result<uint8_t> HashBitsParam(const Params& params) {
  MODICUM_TRY(const int64_t bits,
              IntegerParam(params, "hash_bits", 0, 0, kMaxHashBits));
  return static_cast<uint8_t>(bits);
}

Status CheckClasses(const Dataset& data) { return CheckTrainable(data, 1); }

Status CheckTrainingRows(const Dataset& data, std::span<const uint32_t> rows) {
  std::vector<bool> seen(data.labels.size());
  for (const uint32_t row : rows) {
    MODICUM_CHECK(row < data.items.size());
    const LabelIndex label = data.items[row].label;
    if (label < 0 || static_cast<size_t>(label) >= seen.size()) {
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("row {} of {} has no label",
                              data.items[row].id + 1, data.name));
    }
    seen[static_cast<size_t>(label)] = true;
  }
  if (std::count(seen.begin(), seen.end(), true) < 2) {
    return Fail(
        ErrorCode::kInvalidInput,
        "the training rows of " + data.name + " have fewer than two classes",
        "give more rows, or a smaller test share");
  }
  return {};
}

}  // namespace modicum
