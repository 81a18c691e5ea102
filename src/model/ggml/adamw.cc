// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/adamw.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

namespace modicum {

namespace {

// While there were few steps, the mean is over a tenth of them.
constexpr double kBeginning = 10;

// In several sums, which do not wait for each other.
double SumOfSquares(std::span<const float> values) {
  std::array<double, 8> sums{};
  for (size_t i = 0; i < values.size(); ++i)
    sums[i % sums.size()] += double{values[i]} * double{values[i]};
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace

AdamW::AdamW(size_t numbers, const AdamWSettings& settings)
    : settings_(settings) {
  state_.first.resize(numbers);
  state_.second.resize(numbers);
}

void AdamW::Step(std::span<const Parameter> parameters, double rate) {
  const auto steps = static_cast<double>(++state_.steps);
  const auto beta1 = static_cast<float>(settings_.beta1);
  const auto beta2 = static_cast<float>(settings_.beta2);
  // The means start at zero; what that takes away is put back.
  const auto step =
      static_cast<float>(rate / (1 - std::pow(settings_.beta1, steps)));
  const auto second_scale =
      static_cast<float>(1 / (1 - std::pow(settings_.beta2, steps)));
  const auto epsilon = static_cast<float>(settings_.epsilon);
  size_t at = 0;
  for (const Parameter& parameter : parameters) {
    float* values = parameter.values().data();
    const std::span<const float> gradients = parameter.gradients();
    float* first = &state_.first[at];
    float* second = &state_.second[at];
    const auto keep =
        static_cast<float>(parameter.decays ? 1 - rate * settings_.decay : 1);
    for (size_t i = 0; i < gradients.size(); ++i) {
      const float g = gradients[i];
      first[i] = beta1 * first[i] + (1 - beta1) * g;
      second[i] = beta2 * second[i] + (1 - beta2) * g * g;
      values[i] =
          keep * values[i] -
          step * first[i] / (std::sqrt(second[i] * second_scale) + epsilon);
    }
    at += gradients.size();
  }
}

void WeightMean::Add(std::span<const Parameter> parameters) {
  const auto count = static_cast<double>(count_++);
  const auto share = static_cast<float>(
      std::fmax(1 / steps_, kBeginning / (count + kBeginning)));
  const bool first = mean_.empty();
  size_t at = 0;
  for (const Parameter& parameter : parameters) {
    const std::span<const float> values = parameter.values();
    if (first) {
      mean_.insert(mean_.end(), values.begin(), values.end());
      continue;
    }
    for (size_t i = 0; i < values.size(); ++i)
      mean_[at + i] += share * (values[i] - mean_[at + i]);
    at += values.size();
  }
}

void WeightMean::Swap(std::span<const Parameter> parameters) {
  auto at = mean_.begin();
  for (const Parameter& parameter : parameters) {
    std::swap_ranges(parameter.values().begin(), parameter.values().end(), at);
    at += static_cast<int64_t>(parameter.values().size());
  }
}

void WeightMean::Set(uint64_t count, std::vector<float> values) {
  count_ = count;
  mean_ = std::move(values);
}

double ClipGradients(std::span<const Parameter> parameters, double most) {
  double squares = 0;
  for (const Parameter& parameter : parameters)
    squares += SumOfSquares(parameter.gradients());
  const double norm = std::sqrt(squares);
  if (norm <= most) return norm;
  const auto scale = static_cast<float>(most / norm);
  for (const Parameter& parameter : parameters)
    for (float& g : parameter.gradients()) g *= scale;
  return norm;
}

double LearningRate(uint64_t step, uint64_t total, double warm_up,
                    double peak) {
  const double rise = warm_up * static_cast<double>(total);
  const auto now = static_cast<double>(step);
  if (now + 1 < rise) return peak * (now + 1) / rise;
  const double share = (now - rise) / (static_cast<double>(total) - rise);
  return peak * (1 + std::cos(std::numbers::pi * std::fmax(share, 0))) / 2;
}

}  // namespace modicum
