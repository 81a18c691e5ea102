// SPDX-License-Identifier: Apache-2.0
// What a verdict's statistics and a printed number cost.
#include <benchmark/benchmark.h>

#include <numeric>
#include <vector>

#include "base/format.h"
#include "base/statistics.h"
#include "base/terminal.h"

namespace modicum {
namespace {

void TangoOf1814Items(benchmark::State& state) {
  const PairedCounts counts{1780, 12, 9, 13};
  for (auto _ : state) benchmark::DoNotOptimize(TangoInterval(counts));
}
BENCHMARK(TangoOf1814Items);

void ErrorOf1814Clusters(benchmark::State& state) {
  std::vector<double> totals(1814);
  std::iota(totals.begin(), totals.end(), -906.5);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        ClusterInterval(0, ErrorOfClusters(totals, 1814), 0.95));
}
BENCHMARK(ErrorOf1814Clusters);

void SmallestLoss(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(SmallestDetectableLoss(1814, 0.012));
}
BENCHMARK(SmallestLoss);

void StudentOfNineDegrees(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(StudentQuantile(0.95, 9));
}
BENCHMARK(StudentOfNineDegrees);

void PrintAnEstimate(benchmark::State& state) {
  const Estimate<Joules> energy{
      Joules(0.42), 0.2, {}, Origin::kModelled, Scope::kPackage};
  for (auto _ : state) benchmark::DoNotOptimize(FormatEstimate(energy));
}
BENCHMARK(PrintAnEstimate);

void WidthOfALine(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(
        DisplayWidth("x/÷ 2.4 and sixty more characters "
                     "of plain text in one table cell"));
}
BENCHMARK(WidthOfALine);

}  // namespace
}  // namespace modicum
