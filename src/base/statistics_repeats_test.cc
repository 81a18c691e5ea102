// SPDX-License-Identifier: Apache-2.0
// Bootstrap and confidence sequence: the ordinary case recomputed, the mixture
// integrated numerically, coverage by simulation with fixed seeds, the edges.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "base/cluster_bootstrap.h"
#include "base/rng.h"
#include "base/statistics.h"
#include "base/statistics_samples.h"

namespace modicum {
namespace {

double MeanOf(const std::vector<double>& values,
              std::span<const uint32_t> items) {
  double sum = 0;
  for (const uint32_t item : items) sum += values[item];
  return sum / static_cast<double>(items.size());
}

std::vector<double> GaussianValues(size_t count, uint64_t seed) {
  Rng rng(seed);
  std::vector<double> values(count);
  for (double& value : values) value = Gauss(rng);
  return values;
}

TEST(ClusterBootstrap, SingletonsGiveTheOrdinaryBootstrap) {
  const std::vector<double> values = GaussianValues(50, 1);
  std::vector<uint64_t> clusters(50);
  std::iota(clusters.begin(), clusters.end(), uint64_t{1000});
  std::vector<double> means;
  Rng rng(9);
  for (int r = 0; r < 500; ++r) {
    std::vector<uint32_t> items(50);
    for (uint32_t& item : items) item = rng.Below(50);
    means.push_back(MeanOf(values, items));
  }
  const Interval interval = ClusterBootstrap(
      clusters, [&](auto items) { return MeanOf(values, items); }, 0.9, 500, 9);
  ExpectInterval(interval, Quantile(means, 0.05), Quantile(means, 0.95), 1e-12);
}

TEST(ClusterBootstrap, CorrelatedClustersWidenItByTheDesignEffect) {
  // 40 clusters of 10 equal values: the standard error is that of 40 values.
  const std::vector<double> centres = GaussianValues(40, 2);
  std::vector<double> values;
  std::vector<uint64_t> clusters;
  std::vector<uint64_t> singletons;
  for (uint64_t i = 0; i < 400; ++i) {
    values.push_back(centres[i % 40]);
    clusters.push_back(i % 40);
    singletons.push_back(i);
  }
  auto width = [&](const std::vector<uint64_t>& by) {
    const Interval interval = ClusterBootstrap(
        by, [&](auto items) { return MeanOf(values, items); }, 0.95, 4000, 3);
    return interval.high - interval.low;
  };
  const double se = std::sqrt(Variance(centres) / 40);
  EXPECT_NEAR(width(clusters) / (2 * 1.96 * se), 1, 0.08);
  EXPECT_NEAR(width(clusters) / width(singletons), std::sqrt(10), 0.3);
}

TEST(ClusterBootstrap, TakesWholeClusters) {
  const std::vector<uint64_t> clusters{7, 3, 7, 3, 3, 9};
  ClusterBootstrap(
      clusters,
      [](auto items) {
        std::vector<int> counts(6);
        for (const uint32_t item : items) ++counts.at(item);
        EXPECT_EQ(counts[0], counts[2]);
        EXPECT_EQ(counts[1], counts[3]);
        EXPECT_EQ(counts[1], counts[4]);
        EXPECT_EQ(counts[0] + counts[1] + counts[5], 3);
        return 0.0;
      },
      0.9, 200, 4);
}

TEST(ClusterBootstrap, DeterministicInSeedAndSkipsNaN) {
  const std::vector<double> values = GaussianValues(30, 5);
  std::vector<uint64_t> clusters(30);
  std::iota(clusters.begin(), clusters.end(), uint64_t{0});
  int calls = 0;
  auto run = [&](uint64_t seed) {
    return ClusterBootstrap(
        clusters,
        [&](auto items) {
          return ++calls % 3 == 0 ? std::nan("") : MeanOf(values, items);
        },
        0.9, 300, seed);
  };
  const Interval once = run(1);
  const Interval again = run(1);
  EXPECT_EQ(once.low, again.low);
  EXPECT_EQ(once.high, again.high);
  EXPECT_NE(once.low, run(2).low);
  EXPECT_TRUE(std::isfinite(once.low));
}

TEST(ClusterBootstrap, OneClusterTellsNothing) {
  const std::vector<uint64_t> clusters(5, 1);
  const Interval interval = ClusterBootstrap(
      clusters, [](auto) { return 1.0; }, 0.9, 10, 1);
  EXPECT_EQ(interval.low, -kInf);
  EXPECT_EQ(interval.high, kInf);
}

// Share of `runs` sequences that some sample size up to `length` excludes the
// true mean, zero.
template <class Draw>
double EverMissed(int runs, int length, uint64_t seed, const Draw& draw) {
  Rng rng(seed);
  int missed = 0;
  for (int run = 0; run < runs; ++run) {
    ConfidenceSequence sequence(0.95, 10);
    for (int i = 0; i < length; ++i) {
      sequence.Add(draw(rng));
      const auto interval = sequence.interval();
      if (interval && (interval->low > 0 || interval->high < 0)) {
        ++missed;
        break;
      }
    }
  }
  return missed / static_cast<double>(runs);
}

TEST(ConfidenceSequence, CoversAtEverySampleSizeAtOnce) {
  const double missed = EverMissed(3000, 300, 31, Gauss);
  EXPECT_LT(missed, 0.05 + 3 * std::sqrt(0.05 * 0.95 / 3000));
  EXPECT_GT(missed, 0.01);  // and is not merely wide
}

TEST(ConfidenceSequence, NearlyCoversSkewedSamples) {
  // Sums of four exponentials (skewness 1): repeats have a right tail.
  const double missed = EverMissed(3000, 200, 32, [](Rng& rng) {
    double sum = -4;
    for (int i = 0; i < 4; ++i) sum -= std::log1p(-rng.Unit());
    return sum;
  });
  EXPECT_LT(missed, 0.09);
}

// The prior variance of mean / sd that is tightest at n, from its definition:
// the k = 1 + n * spread with ((k + n - 1) / n)^n = k / alpha^2.
double SpreadFor(double n, double alpha) {
  double low = 2;
  double high = 1e9;
  for (int i = 0; i < 200; ++i) {
    const double k = (low + high) / 2;
    const bool below = std::pow((k + n - 1) / n, n) < k / (alpha * alpha);
    (below ? low : high) = k;
  }
  return (low - 1) / n;
}

// The Bayes factor against `mean`: a normal prior on (mean' - mean) / sd and
// the right Haar prior on sd, both integrated on a grid.
double MixtureRatio(const std::vector<double>& samples, double mean,
                    double spread) {
  auto likelihood = [&](double sd, double effect) {
    double log = 0;
    for (const double x : samples) {
      const double r = (x - mean) / sd - effect;
      log -= r * r / 2 + std::log(sd);
    }
    return std::exp(log);
  };
  double null = 0;
  double mixture = 0;
  for (double log_sd = -5; log_sd < 7; log_sd += 0.02) {
    const double sd = std::exp(log_sd);
    null += likelihood(sd, 0);
    for (double z = -8; z < 8; z += 0.05)
      mixture += likelihood(sd, z * std::sqrt(spread)) * std::exp(-z * z / 2) *
                 0.05 / std::sqrt(2 * std::numbers::pi);
  }
  return mixture / null;
}

TEST(ConfidenceSequence, EndsAreWhereTheMixtureReachesOneOverAlpha) {
  const std::vector<double> samples{4.1, 5.3, 4.7, 6.2, 5.0, 4.4};
  ConfidenceSequence sequence(0.95, 10);
  for (const double sample : samples) sequence.Add(sample);
  const double spread = SpreadFor(10, 0.05);
  const Interval interval = *sequence.interval();
  EXPECT_NEAR(MixtureRatio(samples, interval.low, spread), 20, 0.01);
  EXPECT_NEAR(MixtureRatio(samples, interval.high, spread), 20, 0.01);
}

double HalfWidth(int count, double tune_at) {
  ConfidenceSequence sequence(0.95, tune_at);
  for (int i = 0; i < count; ++i) sequence.Add(i % 2 == 0 ? 1 : -1);
  const Interval interval = *sequence.interval();
  return (interval.high - interval.low) / 2;
}

TEST(ConfidenceSequence, TendsToTheAsymptoticSequence) {
  // Waudby-Smith et al. 2021, theorem 2.2, with rho^2 = spread and sd 1.
  const double n = 100'000;
  const double r = n * SpreadFor(10, 0.05);
  const double expected =
      std::sqrt(2 * (r + 1) / (n * r) * std::log(std::sqrt(r + 1) / 0.05));
  EXPECT_NEAR(HalfWidth(100'000, 10) / expected, 1, 2e-4);
}

TEST(ConfidenceSequence, IsTightestWhereTuned) {
  for (const int n : {10, 20, 50})
    for (const double factor : {0.5, 0.8, 1.25, 2.0})
      EXPECT_LT(HalfWidth(n, n), HalfWidth(n, n * factor)) << n;
}

TEST(ConfidenceSequence, FewSamplesBoundNothing) {
  ConfidenceSequence sequence;
  EXPECT_FALSE(sequence.interval().has_value());
  sequence.Add(1);
  EXPECT_FALSE(sequence.interval().has_value());
  sequence.Add(1.5);
  EXPECT_EQ(sequence.interval()->high, kInf);
  sequence.Add(1.2);
  sequence.Add(1.1);
  EXPECT_EQ(sequence.interval()->low, -kInf);
  sequence.Add(1.3);
  EXPECT_TRUE(std::isfinite(sequence.interval()->low));
  EXPECT_EQ(sequence.count(), 5U);
  EXPECT_DOUBLE_EQ(sequence.mean(), 1.22);
}

TEST(ConfidenceSequence, EqualSamplesAndALargeOffset) {
  ConfidenceSequence equal;
  for (int i = 0; i < 6; ++i) equal.Add(3);
  EXPECT_EQ(equal.interval()->low, 3);
  EXPECT_EQ(equal.interval()->high, 3);
  ConfidenceSequence offset;
  for (int i = 0; i < 1000; ++i) offset.Add(1e9 + (i % 2 == 0 ? 1 : -1));
  const Interval interval = *offset.interval();
  EXPECT_NEAR((interval.high - interval.low) / 2, HalfWidth(1000, 10), 1e-6);
}

}  // namespace
}  // namespace modicum
