// SPDX-License-Identifier: Apache-2.0
#include "base/statistics.h"

#include <math.h>  // lgamma_r: std::lgamma writes a global

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "base/result.h"

namespace modicum {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double NormalTail(double z) { return 0.5 * std::erfc(z / std::numbers::sqrt2); }

double TwoSidedZ(double confidence) {
  MODICUM_CHECK(confidence > 0 && confidence < 1);
  return -NormalQuantile((1 - confidence) / 2);
}

// The point in [low, high] where `above` turns from true to false, to the
// last bit.
template <class Predicate>
double Bisect(double low, double high, const Predicate& above) {
  while (true) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return high;
    (above(middle) ? low : high) = middle;
  }
}

double LogGamma(double x) {
  int sign = 0;
  return lgamma_r(x, &sign);
}

// Continued fraction of the incomplete beta function (DLMF 8.17.22) by
// Lentz's method; converges fast for x < (a + 1) / (a + b + 2).
double BetaFraction(double x, double a, double b) {
  constexpr double kTiny = 1e-300;
  auto nonzero = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1;
  double d = 1 / nonzero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m < 10000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonzero(1 + even * d);
    c = nonzero(1 + even / c);
    fraction *= c * d;
    const double odd =
        -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonzero(1 + odd * d);
    c = nonzero(1 + odd / c);
    fraction *= c * d;
    if (std::abs(c * d - 1) < 1e-16) break;
  }
  return fraction;
}

// Regularised incomplete beta I_x(a, b); y = 1 - x, given apart because the
// difference would lose it near one.
double IncompleteBeta(double x, double y, double a, double b) {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - IncompleteBeta(y, x, b, a);
  const double log_front = LogGamma(a + b) - LogGamma(a) - LogGamma(b) +
                           a * std::log(x) + b * std::log(y);
  return std::exp(log_front) * BetaFraction(x, a, b) / a;
}

// P(T > t) for t >= 0.
double StudentTail(double t, double df) {
  const double square = t * t;
  return 0.5 * IncompleteBeta(df / (df + square), square / (df + square),
                              df / 2, 0.5);
}

// Cornish-Fisher expansion in 1/df (Abramowitz & Stegun 26.7.5). Exact to
// 1e-9 from a thousand degrees on, where the gamma functions lose digits.
double StudentFromNormal(double z, double df) {
  const double s = z * z;
  const double g1 = (s + 1) / 4;
  const double g2 = ((5 * s + 16) * s + 3) / 96;
  const double g3 = (((3 * s + 19) * s + 17) * s - 15) / 384;
  const double g4 =
      ((((79 * s + 776) * s + 1482) * s - 1920) * s - 945) / 92160;
  return z * (1 + (g1 + (g2 + (g3 + g4 / df) / df) / df) / df);
}

// Tango's score statistic of H0: p(first) - p(second) = delta; b and c are the
// shares of items that only the first, only the second gets right.
double TangoScore(double b, double c, double n, double delta) {
  if (delta < 0) return -TangoScore(c, b, n, -delta);
  // Share of second_only that is most likely under H0: the positive root of
  // 2 q^2 + linear q - c delta (1 - delta), in the form that does not cancel.
  const double product = c * delta * (1 - delta);
  const double linear = (2 - b + c) * delta - b - c;
  const double root = std::sqrt(linear * linear + 8 * product);
  const double q =
      linear > 0 ? 2 * product / (linear + root) : (root - linear) / 4;
  const double variance = 2 * q + delta * (1 - delta);
  const double difference = b - c - delta;
  if (difference == 0) return 0;
  return std::sqrt(n) * difference / std::sqrt(variance);
}

// The real roots of a x^2 - 2 b x + c, lower first; a is not zero, though it
// may be -0.0, which puts one root at infinity.
Interval Roots(double a, double b, double c, double discriminant) {
  const double s = b + std::copysign(std::sqrt(discriminant), b);
  const double one = s / a;
  const double two = s == 0 ? 0 : c / s;
  return {std::min(one, two), std::max(one, two)};
}

// Hall's cubic transformation of a studentised statistic of this skewness,
// and its inverse; both increase for any skewness.
double HallTransform(double w, double skew) {
  const double a = skew / 3;
  return w + a * w * w + a * a * w * w * w / 3 + skew / 6;
}
double HallInverse(double t, double skew) {
  if (std::abs(skew) < 1e-8) return t;  // there the cube root cancels
  return 3 / skew * (std::cbrt(1 + skew * (t - skew / 6)) - 1);
}

// Connor's sample size before rounding. The discordant share is at least the
// loss, since every lost item is discordant.
double ItemsFor(double loss, double discordant_share, double z_alpha,
                double z_power) {
  const double share = std::max(discordant_share, loss);
  const double root =
      z_alpha * std::sqrt(share) + z_power * std::sqrt(share - loss * loss);
  return root * root / (loss * loss);
}

}  // namespace

double NormalQuantile(double p) {
  if (!(p >= 0 && p <= 1)) return kNaN;
  if (p > 0.5) return -NormalQuantile(1 - p);
  if (p == 0) return -kInfinity;
  if (p == 0.5) return 0;
  // Start: Abramowitz & Stegun 26.2.23, good to 4.5e-4; then Halley's method,
  // which triples the correct digits at each step.
  const double t = std::sqrt(-2 * std::log(p));
  double x = (2.515517 + t * (0.802853 + t * 0.010328)) /
                 (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) -
             t;
  for (int step = 0; step < 3; ++step) {
    const double density =
        std::exp(-x * x / 2) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
    const double u = (NormalTail(-x) - p) / density;
    if (!std::isfinite(u)) break;
    x -= u / (1 + x * u / 2);
  }
  return x;
}

double StudentQuantile(double p, double df) {
  if (!(p >= 0 && p <= 1 && df > 0)) return kNaN;
  if (p > 0.5) return -StudentQuantile(1 - p, df);
  if (p == 0) return -kInfinity;
  if (p == 0.5) return 0;
  if (df >= 1000) return StudentFromNormal(NormalQuantile(p), df);
  double high = 1;
  while (std::isfinite(high) && StudentTail(high, df) > p) high *= 2;
  if (!std::isfinite(high)) return -kInfinity;
  return -Bisect(0, high, [&](double t) { return StudentTail(t, df) > p; });
}

Interval WilsonInterval(uint64_t successes, uint64_t trials,
                        double confidence) {
  MODICUM_CHECK(trials > 0 && successes <= trials);
  const auto n = static_cast<double>(trials);
  return WilsonShareInterval(static_cast<double>(successes) / n, n, confidence);
}

Interval WilsonShareInterval(double share, double trials, double confidence) {
  MODICUM_CHECK(trials > 0 && share >= 0 && share <= 1);
  const double z = TwoSidedZ(confidence);
  const double w = z * z / trials;
  const double centre = (share + w / 2) / (1 + w);
  const double half = std::sqrt(w * (share * (1 - share) + w / 4)) / (1 + w);
  return {share == 0 ? 0 : std::max(0.0, centre - half),
          share == 1 ? 1 : std::min(1.0, centre + half)};
}

PairedShares::PairedShares(const PairedCounts& counts)
    : items(static_cast<double>(counts.total())) {
  MODICUM_CHECK(counts.total() > 0);
  first_only = static_cast<double>(counts.first_only) / items;
  second_only = static_cast<double>(counts.second_only) / items;
}

Interval TangoInterval(const PairedShares& s, double confidence) {
  const double z = TwoSidedZ(confidence);
  const double mid = s.first_only - s.second_only;
  const auto score = [&s](double delta) {
    return TangoScore(s.first_only, s.second_only, s.items, delta);
  };
  // The score falls as delta grows and is zero at mid.
  return {Bisect(-1, mid, [&](double delta) { return score(delta) > z; }),
          Bisect(mid, 1, [&](double delta) { return score(delta) > -z; })};
}

double TangoPValue(const PairedShares& s, double margin) {
  MODICUM_CHECK(margin >= 0 && margin <= 1);
  return NormalTail(TangoScore(s.first_only, s.second_only, s.items, -margin));
}

FiellerResult FiellerInterval(double a, double var_a, double b, double var_b,
                              double covariance, double quantile) {
  // All x with (a - x b)^2 <= quantile^2 var(a - x b): a quadratic in x.
  const double k = quantile * quantile;
  double square = b * b - k * var_b;
  const double cross = a * b - k * covariance;
  const double constant = a * a - k * var_a;
  const double discriminant = cross * cross - square * constant;
  FiellerResult result;
  result.mid = a / b;
  result.bounded = square > 0;
  if (square == 0) square = -0.0;
  if (result.bounded) {
    // Rounding alone can make it negative here.
    result.interval =
        Roots(square, cross, constant, std::max(0.0, discriminant));
    return result;
  }
  result.interval = {-kInfinity, kInfinity};
  if (!(discriminant >= 0)) return result;
  const Interval gap = Roots(square, cross, constant, discriminant);
  if (result.mid >= gap.high) result.interval.low = gap.high;
  if (result.mid <= gap.low) result.interval.high = gap.low;
  return result;
}

ClusterError ErrorOfClusters(std::span<const double> totals, double items) {
  ClusterError error;
  error.clusters = totals.size();
  if (totals.size() < 2) {
    error.sd = kInfinity;
    return error;
  }
  double squares = 0;
  double cubes = 0;
  for (const double total : totals) {
    squares += total * total;
    cubes += total * total * total;
  }
  const auto n = static_cast<double>(totals.size());
  error.sd = std::sqrt(n / (n - 1) * squares) / items;
  if (squares > 0) error.skew = cubes / std::pow(squares, 1.5);
  return error;
}

Interval ClusterInterval(double mid, const ClusterError& error,
                         double confidence) {
  if (!std::isfinite(error.sd)) return {-kInfinity, kInfinity};
  const double t = -StudentQuantile((1 - confidence) / 2,
                                    static_cast<double>(error.clusters) - 1);
  return {mid - error.sd * HallInverse(t, error.skew),
          mid - error.sd * HallInverse(-t, error.skew)};
}

double ClusterPValue(double gap, const ClusterError& error) {
  if (!std::isfinite(error.sd)) return 0.5;
  if (error.sd <= 0) return gap > 0 ? 0 : gap < 0 ? 1 : 0.5;
  const double t = HallTransform(gap / error.sd, error.skew);
  const double tail =
      StudentTail(std::abs(t), static_cast<double>(error.clusters) - 1);
  return t > 0 ? tail : 1 - tail;
}

double EffectiveItems(std::span<const double> sizes,
                      std::span<const double> sums, double variance,
                      double confidence) {
  MODICUM_CHECK(!sizes.empty() && sizes.size() == sums.size());
  const double items = std::accumulate(sizes.begin(), sizes.end(), 0.0);
  const auto clusters = static_cast<double>(sizes.size());
  if (clusters == items) return items;
  if (sizes.size() == 1) return 1;
  const double mean = std::accumulate(sums.begin(), sums.end(), 0.0) / items;
  double between = 0;
  double size_squares = 0;
  for (size_t g = 0; g < sizes.size(); ++g) {
    const double residual = sums[g] - mean * sizes[g];
    between += residual * residual;
    size_squares += sizes[g] * sizes[g];
  }
  // Variance of the mean with clusters over that without.
  const double effect =
      variance > 0 ? clusters / (clusters - 1) * between / (items * variance)
                   : size_squares / items;
  const double z = TwoSidedZ(confidence);
  const double t = -StudentQuantile((1 - confidence) / 2, clusters - 1);
  return items / std::max(effect, 1.0) * (z / t) * (z / t);
}

ConfidenceSequence::ConfidenceSequence(double confidence, double tune_at)
    : alpha_(1 - confidence) {
  MODICUM_CHECK(confidence > 0 && confidence < 1 && tune_at >= 2);
  // The width at n = tune_at is least for the k = 1 + n * spread that solves
  // ((k + n - 1) / n)^n = k / alpha^2; there t^2 may reach k.
  const double n = tune_at;
  const double excess = Bisect(0, 1e12, [&](double e) {
    return n * std::log1p(e / n) < std::log1p(e) - 2 * std::log(alpha_);
  });
  spread_ = excess / n;
}

void ConfidenceSequence::Add(double sample) {
  ++count_;
  const double delta = sample - mean_;
  mean_ += delta / static_cast<double>(count_);
  m2_ += delta * (sample - mean_);
}

std::optional<Interval> ConfidenceSequence::interval() const {
  if (count_ < 2) return std::nullopt;
  const auto n = static_cast<double>(count_);
  const double k = 1 + n * spread_;
  // The mixture's likelihood ratio at t is
  //   k^(-1/2) * ((1 + u) / (1 + u / k))^(n/2),  u = t^2 / (n - 1);
  // the interval holds the means at which it is at most 1 / alpha.
  const double log_limit = (std::log(k) - 2 * std::log(alpha_)) / n;
  const double limit = std::exp(log_limit);
  if (limit >= k) return Interval{-kInfinity, kInfinity};
  const double u = std::expm1(log_limit) / (1 - limit / k);
  const double half = std::sqrt(u * m2_ / n);
  return Interval{mean_ - half, mean_ + half};
}

std::vector<double> HolmAdjust(std::span<const double> p_values) {
  std::vector<size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [p_values](size_t i, size_t j) {
    return p_values[i] < p_values[j];
  });
  std::vector<double> adjusted(p_values.size());
  double worst = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    const auto left = static_cast<double>(order.size() - rank);
    worst = std::max(worst, std::min(1.0, left * p_values[order[rank]]));
    adjusted[order[rank]] = worst;
  }
  return adjusted;
}

double SmallestDetectableLoss(uint64_t items, double discordant_share,
                              double alpha, double power) {
  MODICUM_CHECK(alpha < 0.5 && power >= 0.5);
  const double z_alpha = -NormalQuantile(alpha);
  const double z_power = NormalQuantile(power);
  const auto n = static_cast<double>(items);
  return Bisect(0, 1, [&](double loss) {
    return ItemsFor(loss, discordant_share, z_alpha, z_power) > n;
  });
}

uint64_t ItemsNeeded(double loss, double discordant_share, double alpha,
                     double power) {
  MODICUM_CHECK(alpha < 0.5 && power >= 0.5);
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  if (!(loss > 0)) return kMost;
  const double n = ItemsFor(std::min(loss, 1.0), discordant_share,
                            -NormalQuantile(alpha), NormalQuantile(power));
  if (n >= static_cast<double>(kMost)) return kMost;
  // The last bits of n are rounding and must not cost an item.
  return static_cast<uint64_t>(std::ceil(n * (1 - 1e-12)));
}

double Mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(values.size());
}

double Variance(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const double mean = Mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum / static_cast<double>(values.size() - 1);
}

double Quantile(std::span<const double> values, double p) {
  if (values.empty()) return kNaN;
  std::vector<double> sorted(values.begin(), values.end());
  const double at =
      std::clamp(p, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto below = sorted.begin() + static_cast<ptrdiff_t>(at);
  std::nth_element(sorted.begin(), below, sorted.end());
  const double fraction = at - std::floor(at);
  if (fraction == 0) return *below;
  const double next = *std::min_element(below + 1, sorted.end());
  return *below + fraction * (next - *below);
}

}  // namespace modicum
