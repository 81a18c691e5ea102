// SPDX-License-Identifier: Apache-2.0
// What one sample costs: a tree of six RAPL counters, and /proc/stat of this
// machine. At 10 Hz, 0.1 % of a core is 100 microseconds a sample.
#include <benchmark/benchmark.h>

#include <string>

#include "base/clock.h"
#include "hardware/machine.h"
#include "probe/cpu_load.h"
#include "probe/rapl.h"

namespace modicum {
namespace {

void ReadAll(benchmark::State& state, Result<std::unique_ptr<Probe>> probe) {
  if (!probe) {
    state.SkipWithError(probe.error().message.c_str());
    return;
  }
  for (auto _ : state) {
    auto deltas = (*probe)->Read(SystemClock().Now());
    benchmark::DoNotOptimize(deltas);
  }
}

void RaplSample(benchmark::State& state) {
  const RootFs fs(MODICUM_SOURCE_DIR "/tests/roots/xeon-2s-rapl-dram");
  ReadAll(state, OpenRapl({fs, DetectHost(fs), SystemClock().Now()}));
}
BENCHMARK(RaplSample);

void CpuLoadSample(benchmark::State& state) {
  const RootFs fs;
  ReadAll(state, CpuLoadProbe::Open({fs, DetectHost(fs), SystemClock().Now()}));
}
BENCHMARK(CpuLoadSample);

// Part of every start of the program.
void Detect(benchmark::State& state) {
  const RootFs fs;
  for (auto _ : state) {
    const HostFacts host = DetectHost(fs);
    benchmark::DoNotOptimize(PowerOf(host));
  }
}
BENCHMARK(Detect);

}  // namespace
}  // namespace modicum
