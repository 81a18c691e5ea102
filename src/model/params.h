// SPDX-License-Identifier: Apache-2.0
// Checked access to a trainer's parameters.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "model/engine.h"
#include "model/text_features.h"

namespace modicum {

// Refuses a parameter that `family` does not have, with "did you mean".
Status CheckParamNames(const Params& params, std::string_view family,
                       std::span<const std::string_view> known);

// A number (an integer is one too) in [low, high], else kInvalidInput.
Result<double> NumberParam(const Params& params, std::string_view name,
                           double fallback, double low, double high);
Result<int64_t> IntegerParam(const Params& params, std::string_view name,
                             int64_t fallback, int64_t low, int64_t high);
Result<std::string> TextParam(const Params& params, std::string_view name,
                              std::string_view fallback);

// word_ngrams, char_ngrams and hash_bits: which n-grams of a text are its
// features. kInvalidInput where that is none.
Result<FeatureConfig> FeatureParams(const Params& params,
                                    std::string_view words);

// hash_bits: how far n-gram hashes are folded; see FeatureConfig. 0, the
// default, is not at all.
Result<uint8_t> HashBitsParam(const Params& params);

// What every classifier needs of its data; CheckTrainable for modules, which
// see only symbols that this library pulls in.
Status CheckClasses(const Dataset& data);

// The rows whose label is known and within the labels; an error when fewer
// than two classes have any.
Status CheckTrainingRows(const Dataset& data, std::span<const uint32_t> rows);

}  // namespace modicum
