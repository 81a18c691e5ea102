// SPDX-License-Identifier: Apache-2.0
#include "evaluate/repeats.h"

#include <cmath>
#include <limits>
#include <vector>

#include "base/statistics.h"
#include "evaluate/cost.h"

namespace modicum {
namespace {

// The sd of a normal whose 90 % interval is as wide as Student's of the mean.
double SdOfMean(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  if (values.size() < 2) return std::numeric_limits<double>::infinity();
  return std::sqrt(Variance(values) / n) * StudentQuantile(0.95, n - 1) / kZ90;
}

template <class F>
std::vector<double> Collect(std::span<const RepeatSample> samples, F value) {
  std::vector<double> values;
  for (const RepeatSample& sample : samples) values.push_back(value(sample));
  return values;
}

double WallOf(const RepeatSample& sample) { return sample.wall.value(); }
double CpuOf(const RepeatSample& sample) { return sample.cpu.value(); }
double EnergyOf(const RepeatSample& sample) {
  return sample.energy.mid.value();
}

Estimate<Seconds> MeanTime(const std::vector<double>& values) {
  return {.mid = Seconds(Mean(values)),
          .own_sd = SdOfMean(values),
          .shared = {},
          .origin = Origin::kCounter,
          .scope = Scope::kProcess};
}

Estimate<Joules> MeanEnergy(std::span<const RepeatSample> samples) {
  Estimate<Joules> sum = samples[0].energy;
  for (const RepeatSample& sample : samples.subspan(1))
    sum = sum + sample.energy;
  Estimate<Joules> mean = sum / static_cast<double>(samples.size());
  // What varies between the repeats holds each one's own error too.
  const double spread = SdOfMean(Collect(samples, EnergyOf));
  mean.own_sd =
      samples.size() < 2 ? mean.own_sd : std::max(mean.own_sd, spread);
  return mean;
}

struct LogRatio {
  double mid = 0;  // the geometric mean
  double sd = 0;   // of the ratio
};

std::optional<LogRatio> PairedRatio(const std::vector<double>& first,
                                    const std::vector<double>& second) {
  std::vector<double> logs;
  for (size_t i = 0; i < first.size(); ++i) {
    if (!(first[i] > 0) || !(second[i] > 0)) return std::nullopt;
    logs.push_back(std::log(first[i] / second[i]));
  }
  const double mid = std::exp(Mean(logs));
  return LogRatio{mid, mid * SdOfMean(logs)};
}

std::optional<Estimate<Scalar>> TimeRatio(const std::vector<double>& first,
                                          const std::vector<double>& second) {
  const auto ratio = PairedRatio(first, second);
  if (!ratio) return std::nullopt;
  return Estimate<Scalar>{.mid = Scalar(ratio->mid),
                          .own_sd = ratio->sd,
                          .shared = {},
                          .origin = Origin::kCounter,
                          .scope = Scope::kProcess};
}

std::optional<Estimate<Scalar>> EnergyRatio(
    std::span<const RepeatSample> first, std::span<const RepeatSample> second,
    bool same_workload) {
  const auto paired =
      PairedRatio(Collect(first, EnergyOf), Collect(second, EnergyOf));
  if (!paired) return std::nullopt;
  Estimate<Joules> a = MeanEnergy(first);
  Estimate<Joules> b = MeanEnergy(second);
  if (!same_workload) {
    a = OfWorkload(std::move(a), "first");
    b = OfWorkload(std::move(b), "second");
  }
  Estimate<Scalar> ratio = Ratio(a, b);
  // Shared errors are relative: they follow the middle.
  const double scale = paired->mid / ratio.mid.value();
  for (Share& share : ratio.shared) share.delta *= scale;
  ratio.mid = Scalar(paired->mid);
  ratio.own_sd = paired->sd;
  return ratio;
}

}  // namespace

RepeatMeans MeansOf(std::span<const RepeatSample> samples) {
  MODICUM_CHECK(!samples.empty());
  return {samples.size(), MeanTime(Collect(samples, WallOf)),
          MeanTime(Collect(samples, CpuOf)), MeanEnergy(samples)};
}

RepeatRatios RatiosOf(std::span<const RepeatSample> first,
                      std::span<const RepeatSample> second,
                      bool same_workload) {
  MODICUM_CHECK(first.size() == second.size() && first.size() >= 2);
  return {TimeRatio(Collect(first, WallOf), Collect(second, WallOf)),
          TimeRatio(Collect(first, CpuOf), Collect(second, CpuOf)),
          EnergyRatio(first, second, same_workload)};
}

}  // namespace modicum
