// SPDX-License-Identifier: Apache-2.0
// The statistics behind every verdict. Each function names its source and is
// tested against a published worked example.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/estimate.h"

namespace modicum {

double NormalQuantile(double p);              // inverse of the normal CDF
double StudentQuantile(double p, double df);  // inverse of Student's t CDF

// Wilson's score interval of a proportion (Wilson 1927; Newcombe 1998a).
// Requires 0 <= successes <= trials, trials > 0.
Interval WilsonInterval(uint64_t successes, uint64_t trials,
                        double confidence = 0.95);

// Paired outcomes of two models on the same items.
struct PairedCounts {
  uint64_t both = 0;         // both right
  uint64_t first_only = 0;   // only the first right
  uint64_t second_only = 0;  // only the second right
  uint64_t neither = 0;
  uint64_t total() const { return both + first_only + second_only + neither; }
};
// Tango's score interval of p(first) - p(second) for paired proportions
// (Tango, Statistics in Medicine 17, 1998).
Interval TangoInterval(const PairedCounts& counts, double confidence = 0.95);
// One-sided p-value of H0: p(first) - p(second) <= -margin (non-inferiority),
// by Tango's score statistic.
double TangoPValue(const PairedCounts& counts, double margin);

// Fieller's interval of the ratio mean(a)/mean(b), from means and their
// variances and covariance (Fieller 1954). `bounded` is false when the
// denominator's interval holds zero: then the set is not one interval, and
// `interval` is the piece that holds mid, with one end or both infinite
// ("from 38, possibly never").
struct FiellerResult {
  double mid = 0;
  Interval interval;
  bool bounded = false;
};
FiellerResult FiellerInterval(double a, double var_a, double b, double var_b,
                              double covariance, double quantile);

// Percentile interval of a statistic by resampling whole clusters (Davison &
// Hinkley 1997, 3.8). `clusters[i]` is item i's cluster; `statistic` gets the
// item indices of one resample, with repeats; a NaN from it is left out.
// Deterministic in `seed`. One cluster alone tells nothing: [-inf, inf].
Interval ClusterBootstrap(
    std::span<const uint64_t> clusters,
    const std::function<double(std::span<const uint32_t>)>& statistic,
    double confidence, int resamples, uint64_t seed);

// A confidence sequence for the mean of repeats: valid at every sample size
// at once, so that one may stop when it is narrow enough. Mixture of t
// likelihood ratios: exact for Gaussian samples of unknown variance from the
// second on (Wang & Ramdas, arXiv 2310.03722), for others in the limit, where
// it is the asymptotic confidence sequence of arXiv 2103.06476.
class ConfidenceSequence {
 public:
  // `tune_at`: the number of samples at which it is tightest, at least 2.
  explicit ConfidenceSequence(double confidence = 0.95, double tune_at = 10);
  void Add(double sample);
  uint64_t count() const { return count_; }
  double mean() const { return mean_; }
  // nullopt before the second sample; [-inf, inf] while too few samples bound
  // nothing (up to the fourth, by default).
  std::optional<Interval> interval() const;

 private:
  double alpha_;
  double spread_ = 0;  // prior variance of mean / sd, set by tune_at
  uint64_t count_ = 0;
  double mean_ = 0;
  double m2_ = 0;
};

// Holm's step-down correction (Holm 1979): adjusted p-values, in input order.
std::vector<double> HolmAdjust(std::span<const double> p_values);

// The smallest loss of accuracy that `items` paired items can detect with the
// given discordant share, one-sided `alpha` and `power` (Connor 1987). A loss
// makes at least its own share of items discordant; 1 when nothing less can
// be detected.
double SmallestDetectableLoss(uint64_t items, double discordant_share,
                              double alpha = 0.05, double power = 0.8);
// Items needed to detect `loss`; the inverse of the above.
uint64_t ItemsNeeded(double loss, double discordant_share, double alpha = 0.05,
                     double power = 0.8);

double Mean(std::span<const double> values);      // NaN when empty
double Variance(std::span<const double> values);  // n - 1; 0 when n < 2
// Linear interpolation between order statistics (Hyndman & Fan type 7); NaN
// when empty.
double Quantile(std::span<const double> values, double p);

}  // namespace modicum
