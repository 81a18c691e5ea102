// SPDX-License-Identifier: Apache-2.0
// The statistics behind every verdict. Each function names its source and is
// tested against a published worked example.
#pragma once

#include <cstdint>
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
// The same of a share of `trials`, which need not be whole: the effective
// number where outcomes depend on each other. 0 <= share <= 1, trials > 0.
Interval WilsonShareInterval(double share, double trials,
                             double confidence = 0.95);

// Paired outcomes of two models on the same items.
struct PairedCounts {
  uint64_t both = 0;         // both right
  uint64_t first_only = 0;   // only the first right
  uint64_t second_only = 0;  // only the second right
  uint64_t neither = 0;
  uint64_t total() const { return both + first_only + second_only + neither; }
};
// The same as shares of `items`, an effective number that need not be whole.
struct PairedShares {
  double first_only = 0;
  double second_only = 0;
  double items = 0;
  PairedShares(double first, double second, double n)
      : first_only(first), second_only(second), items(n) {}
  // NOLINTNEXTLINE(google-explicit-constructor): counts are shares of a total.
  PairedShares(const PairedCounts& counts);
};
// Tango's score interval of p(first) - p(second) for paired proportions
// (Tango, Statistics in Medicine 17, 1998).
Interval TangoInterval(const PairedShares& shares, double confidence = 0.95);
// One-sided p-value of H0: p(first) - p(second) <= -margin (non-inferiority),
// by Tango's score statistic.
double TangoPValue(const PairedShares& shares, double margin);

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

// The error of a smooth statistic of clustered items, from how much each
// cluster moves it: the infinitesimal jackknife (Efron 1982, chapter 6), which
// is what resampling whole clusters converges to. `totals[g]` is the sum of
// the influences of cluster g's items (they add up to 0), `items` their
// number. With one cluster sd is infinite: it tells nothing.
struct ClusterError {
  double sd = 0;    // standard error of the statistic
  double skew = 0;  // skewness of the statistic
  size_t clusters = 0;
};
ClusterError ErrorOfClusters(std::span<const double> totals, double items);
// Two-sided interval by Student's t after Hall's monotone transformation,
// which takes out the skewness (Hall, J. R. Statist. Soc. B 54, 1992).
Interval ClusterInterval(double mid, const ClusterError& error,
                         double confidence);
// One-sided p-value of H0: the statistic is at most `mid - gap`, by the same.
double ClusterPValue(double gap, const ClusterError& error);

// Independent items that tell as much about a mean as these clustered ones
// (Rao & Scott, Biometrics 48, 1992: counts divided by the design effect), and
// no more where few clusters leave that effect uncertain (Korn & Graubard,
// Survey Methodology 24, 1998). `sizes[g]` items of cluster g sum to
// `sums[g]`; `variance` is that of one item. Where no item varies, a cluster
// counts as one item (Kish's n^2 / sum of squares).
double EffectiveItems(std::span<const double> sizes,
                      std::span<const double> sums, double variance,
                      double confidence);

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
