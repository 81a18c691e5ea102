// SPDX-License-Identifier: Apache-2.0
// What a window costs the program that opens it, through the C API and with the
// sources of this machine. Limit: opening by the clocks takes less than 5 us at
// the median; what goes beyond is the scheduler's, on a busy machine.
#include <benchmark/benchmark.h>
#include <modicum/modicum.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

modicum_meter* OpenMeter() {
  modicum_meter* meter = nullptr;
  if (modicum_open(nullptr, &meter) != MODICUM_OK) std::abort();
  return meter;
}

// Counters: median, 99th percentile and longest of all openings, in us.
void Open(benchmark::State& state, modicum_edge edge) {
  modicum_meter* meter = OpenMeter();
  std::vector<double> took;
  for (auto _ : state) {
    modicum_window window = 0;
    const auto begin = Clock::now();
    modicum_begin(meter, "w", edge, &window);
    const std::chrono::duration<double> spent = Clock::now() - begin;
    state.SetIterationTime(spent.count());
    took.push_back(spent.count() * 1e6);
    modicum_end(meter, window, 0, nullptr);
  }
  std::sort(took.begin(), took.end());
  state.counters["p50_us"] = took[took.size() / 2];
  state.counters["p99_us"] = took[took.size() * 99 / 100];
  state.counters["max_us"] = took.back();
  modicum_close(meter);
}

void BM_OpenStamped(benchmark::State& state) {
  Open(state, MODICUM_EDGE_STAMPED);
}
BENCHMARK(BM_OpenStamped)->UseManualTime();

void BM_OpenExact(benchmark::State& state) { Open(state, MODICUM_EDGE_EXACT); }
BENCHMARK(BM_OpenExact)->UseManualTime();

// From begin to result, as a caller that does nothing in between pays it.
void BM_WholeWindow(benchmark::State& state) {
  modicum_meter* meter = OpenMeter();
  for (auto _ : state) {
    modicum_window window = 0;
    modicum_begin(meter, "w", MODICUM_EDGE_STAMPED, &window);
    modicum_end(meter, window, 0, nullptr);
  }
  modicum_close(meter);
}
BENCHMARK(BM_WholeWindow);

}  // namespace
