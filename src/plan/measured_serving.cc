// SPDX-License-Identifier: Apache-2.0
#include "plan/measured_serving.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/statistics.h"
#include "plan/serving.h"

namespace modicum {
namespace {

// What models on one chip differ by beyond the serving model, as a logarithm,
// where too few were measured to tell. ML.ENERGY v3, H100: held-out models
// were missed by 19 % (time) on average.
constexpr double kBetweenModels = 0.24;
constexpr size_t kEnoughModels = 4;

// Logarithms of measured over predicted, of one model's runs.
struct Logs {
  std::vector<double> decode, prefill, energy;
  double energy_sd = 0, own_variance = 0, joules = 0;
};

double SdOf(const std::vector<double>& values) {
  const double mean = Mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

// The posterior predictive of a further model; `shared` is an error that all
// of them have alike.
Spread PosteriorFactor(const std::vector<double>& models, double prior_sd,
                       double shared) {
  if (models.empty()) return {1, prior_sd};
  const double between = models.size() < kEnoughModels
                             ? kBetweenModels
                             : std::max(SdOf(models), kBetweenModels / 2);
  const auto n = static_cast<double>(models.size());
  const double of_mean = between * between / n + shared * shared;
  const double weight = prior_sd * prior_sd / (prior_sd * prior_sd + of_mean);
  return {std::exp(weight * Mean(models)),
          std::sqrt(between * between + weight * of_mean)};
}

void AddRun(const Accelerator& chip, const MeasuredRun& run, Logs& logs) {
  const Replica replica{&*run.shape,     &chip, 1,
                        run.weight_bits, 16,    chip.Peak("bf16")};
  const Iteration prefill = Prefill(replica, run.prompt);
  const Iteration decode =
      DecodeIteration(replica, 1, run.prompt + run.passes / 2);
  double predicted = 0;
  if (run.passes > 0 && run.decode_s > 0) {
    logs.decode.push_back(
        std::log(run.decode_s / (run.passes * decode.seconds)));
    predicted += run.passes * decode.joules;
  }
  if (run.prompt > 1 && run.prefill_s > 0) {
    logs.prefill.push_back(std::log(run.prefill_s / prefill.seconds));
    predicted += prefill.joules;
  }
  const double joules = run.prefill_j + run.decode_j;
  if (joules > 0 && predicted > 0)
    logs.energy.push_back(std::log(joules / predicted));
  logs.energy_sd = std::max(logs.energy_sd, run.shared_sd);
  logs.joules += joules;
  logs.own_variance += run.own_sd * run.own_sd;
}

// Of a model's joules: what its runs share, and the rest by their number.
double EnergySd(double shared, double own_variance, double joules) {
  return joules > 0 ? std::hypot(shared, std::sqrt(own_variance) / joules)
                    : shared;
}

}  // namespace

std::vector<MeasuredModel> MeasuredModels(std::span<const MeasuredRun> runs) {
  struct Sum {
    MeasuredModel of;
    double prompt = 0, passes = 0, own_variance = 0;
  };
  std::map<std::string, Sum> sums;
  for (const MeasuredRun& run : runs) {
    Sum& sum = sums[run.model];
    ++sum.of.runs;
    sum.prompt += run.prompt;
    sum.passes += run.passes;
    sum.of.prefill_s += run.prefill_s;
    sum.of.decode_s += run.decode_s;
    sum.of.prefill_j += run.prefill_j;
    sum.of.decode_j += run.decode_j;
    sum.of.energy_sd = std::max(sum.of.energy_sd, run.shared_sd);
    sum.own_variance += run.own_sd * run.own_sd;
  }
  std::vector<MeasuredModel> models;
  for (auto& [name, sum] : sums) {
    if (sum.prompt <= 0 || sum.passes <= 0) continue;
    sum.of.model = name;
    sum.of.energy_sd = EnergySd(sum.of.energy_sd, sum.own_variance,
                                sum.of.prefill_j + sum.of.decode_j);
    sum.of.prefill_s /= sum.prompt;
    sum.of.prefill_j /= sum.prompt;
    sum.of.decode_s /= sum.passes;
    sum.of.decode_j /= sum.passes;
    models.push_back(std::move(sum.of));
  }
  std::ranges::sort(models, {}, &MeasuredModel::decode_j);
  return models;
}

std::optional<ServingFit> FitServing(const Accelerator& chip,
                                     std::span<const MeasuredRun> runs) {
  ServingFit fit;
  std::map<std::string, Logs> models;
  for (const MeasuredRun& run : runs) {
    if (!run.shape) continue;
    AddRun(chip, run, models[run.model]);
    const double size = run.shape->parameters;
    fit.least = fit.runs == 0 ? size : std::min(fit.least, size);
    fit.most = std::max(fit.most, size);
    ++fit.runs;
  }
  if (models.empty()) return std::nullopt;
  Logs means;
  for (const auto& [name, logs] : models) {
    if (!logs.decode.empty()) means.decode.push_back(Mean(logs.decode));
    if (!logs.prefill.empty()) means.prefill.push_back(Mean(logs.prefill));
    if (!logs.energy.empty()) means.energy.push_back(Mean(logs.energy));
    means.energy_sd =
        std::max(means.energy_sd,
                 EnergySd(logs.energy_sd, logs.own_variance, logs.joules));
  }
  const ServingCoefficients c = CoefficientsOf(chip);
  fit.models = models.size();
  fit.decode = PosteriorFactor(means.decode, c.time_sd, 0);
  fit.prefill = PosteriorFactor(means.prefill, c.time_sd, 0);
  fit.energy = PosteriorFactor(means.energy, c.energy_sd, means.energy_sd);
  return fit;
}

}  // namespace modicum
