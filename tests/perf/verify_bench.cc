// SPDX-License-Identifier: Apache-2.0
// What `modicum verify` does with a receipt of 10,000 test items and a dozen
// candidates, as a whole and in its parts. The goal for the whole is 0.2 s.
#include <benchmark/benchmark.h>

#include "fit/derive.h"
#include "fit/verify.h"
#include "record/fake_receipts.h"

namespace modicum {
namespace {

constexpr const char* kMetrics[] = {"accuracy", "macro-f1", "log-loss"};

Receipt Large(const char* metric) {
  FakeFit fit;
  fit.test = 10'000;
  fit.validation = 5'000;
  fit.candidates = 12;
  fit.metric = metric;
  Receipt receipt;
  receipt.evidence = FakeEvidence(fit);
  receipt.result = Derive(receipt.evidence).value();
  return receipt;
}

void BM_Verify(benchmark::State& state) {
  const char* metric = kMetrics[state.range(0)];
  const std::string text = FormatReceipt(Large(metric));
  for (auto _ : state) {
    const Verification verified = VerifyReceipt(text, {});
    if (!verified.ok()) state.SkipWithError(verified.faults[0].c_str());
  }
  state.SetLabel(metric);
  state.counters["bytes"] = static_cast<double>(text.size());
}
BENCHMARK(BM_Verify)->DenseRange(0, 2)->Unit(benchmark::kMillisecond);

void BM_Parse(benchmark::State& state) {
  const std::string text = FormatReceipt(Large(kMetrics[state.range(0)]));
  for (auto _ : state) benchmark::DoNotOptimize(ParseReceipt(text));
  state.SetLabel(kMetrics[state.range(0)]);
}
BENCHMARK(BM_Parse)->DenseRange(0, 2)->Unit(benchmark::kMillisecond);

void BM_Derive(benchmark::State& state) {
  const Receipt receipt = Large(kMetrics[state.range(0)]);
  for (auto _ : state) benchmark::DoNotOptimize(Derive(receipt.evidence));
  state.SetLabel(kMetrics[state.range(0)]);
}
BENCHMARK(BM_Derive)->DenseRange(0, 2)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace modicum
