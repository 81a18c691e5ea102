// SPDX-License-Identifier: Apache-2.0
// What metering itself costs on this machine: a sample, and a window's two
// edges, with the sources that OpenProbes() chooses here.
#include <benchmark/benchmark.h>

#include "hardware/machine.h"
#include "meter/meter_core.h"

namespace modicum {
namespace {

struct Bench {
  Bench() : host(DetectHost(fs)), subjects(fs, SystemClock()) {
    auto probes = OpenProbes({fs, host, SystemClock().Now()}, "");
    MODICUM_CHECK(probes.has_value());
    core = std::make_unique<MeterCore>(MeterOptions{}, *std::move(probes), fs,
                                       host, SystemClock(), subjects);
  }
  RootFs fs;
  HostFacts host;
  ProcessCpu subjects;
  std::unique_ptr<MeterCore> core;
};

void BM_Sample(benchmark::State& state) {
  const Bench bench;
  bench.core->Begin("command", {Subject::Kind::kTree, 0});
  for (auto _ : state) bench.core->Step();
}
BENCHMARK(BM_Sample);

void BM_Window(benchmark::State& state) {
  const Bench bench;
  for (auto _ : state)
    benchmark::DoNotOptimize(bench.core->End(bench.core->Begin("w", {})));
}
BENCHMARK(BM_Window);

}  // namespace
}  // namespace modicum
