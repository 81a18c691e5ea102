// SPDX-License-Identifier: Apache-2.0
// Plans a second: with fixed parallelism at least 200,000 on one core, the
// solver of parallelism under 50 ms, a sweep of 10,000 under 0.2 s.
#include <benchmark/benchmark.h>

#include "place/place.h"
#include "plan/sweep.h"

namespace modicum {
namespace {

TrainQuery Query(const char* model) {
  TrainQuery query;
  query.model = FindArchitecture(model).value();
  query.chip = *FindAccelerator("h100").value();
  query.place = FindPlace({}).value();
  query.tokens = 2e12;
  query.parallel = Parallelism{8, 8, 1, 1, 1, Recompute::kSelective};
  return query;
}

// Memory, time, energy, carbon, water and money with their intervals.
void BM_FixedPlan(benchmark::State& state) {
  const TrainQuery query = Query("llama-2-7b");
  TrainInputs inputs = TrainInputsOf(query, 64);
  for (auto _ : state) {
    inputs.flop *= 1.0000001;
    const double memory =
        TrainMemoryOf(query.model, query.setup, *query.parallel).total();
    const TrainFigures figures = EstimateTraining(inputs);
    benchmark::DoNotOptimize(memory);
    for (const Spread* figure :
         {&figures.gpu_hours, &figures.days, &figures.energy_mwh,
          &figures.tco2e, &figures.embodied_t, &figures.water_l, &figures.rent,
          &figures.own}) {
      Range<double> range = figure->range();
      benchmark::DoNotOptimize(range);
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_FixedPlan);

void BM_Solver(benchmark::State& state, const char* model) {
  const TrainQuery query = Query(model);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        FewestDevices(query.model, query.setup, query.chip, 65536));
}
BENCHMARK_CAPTURE(BM_Solver, llama_70b, "llama-3-70b")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Solver, deepseek_v3, "deepseek-v3")
    ->Unit(benchmark::kMillisecond);

void BM_Sweep10000(benchmark::State& state) {
  const TrainQuery query = Query("llama-2-7b");
  const std::vector<SweepAxis> axes{
      *ParseSweep("tokens=1B..10T:100", TrainSweepNames()),
      *ParseSweep("count=64..6400:100", TrainSweepNames())};
  for (auto _ : state)
    benchmark::DoNotOptimize(SweepTraining(query, axes, "days"));
}
BENCHMARK(BM_Sweep10000)->Unit(benchmark::kMillisecond);

void BM_ServingPlan(benchmark::State& state) {
  ServeQuery query;
  query.model = FindArchitecture("llama-3-70b").value();
  query.chip = *FindAccelerator("h100").value();
  query.place = FindPlace({}).value();
  query.qps = 20;
  query.prompt = 800;
  query.output = 300;
  for (auto _ : state) benchmark::DoNotOptimize(ChooseServing(query, nullptr));
}
BENCHMARK(BM_ServingPlan)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace modicum
