// SPDX-License-Identifier: Apache-2.0
// What several passes need: their input checked, read and written, and their
// cost foretold.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/linear_weights.h"
#include "model/pass.h"

namespace modicum {

// The share to keep, in [0.001, 1]. Any other parameter, and a missing one, is
// kInvalidInput.
Result<double> KeepParam(const Params& params, std::string_view pass);
// {{"keep", share}} for each, in order.
std::vector<Params> KeepSpace(std::initializer_list<double> shares);
// kUnavailable unless the input is a linear model of texts.
Status CheckLinearText(const PassInput& input, std::string_view pass);
Result<LinearWeights> ReadLinear(const PassInput& input);
Result<TrainedModel> WriteLinear(const LinearWeights& weights,
                                 const std::string& directory);

// A text or a row of numbers as bytes; "" for what is neither.
std::string_view BytesOf(const Payload& payload);
// Bytes of the payloads of `rows`.
uint64_t PayloadBytes(const PassInput& input);
// Bytes of the model's files; before they exist, what texts of that size made
// on the bundled tasks, an upper bound.
double ModelBytes(const PassInput& input);
// The interval is the expected time divided and multiplied by three: the
// spread between the build machine's runs and one with half its clock.
PassForecast Forecast(double cpu_seconds, double bytes);

}  // namespace modicum
