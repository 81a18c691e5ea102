// SPDX-License-Identifier: Apache-2.0
// A made-up but likely result of a benchmark, for tests.
#pragma once

#include <string>
#include <utility>

#include "record/bench_result.h"

namespace modicum {

inline Estimate<Joules> BenchJoules(double joules, double own = 0.02) {
  Estimate<Joules> energy{
      Joules(joules), own * joules, {}, Origin::kModelled, Scope::kPackage};
  return energy.WithShared(InternSource("power model"), 0.53);
}

inline BenchRun SampleBenchRun(double joules_per_1000, bool contended = false) {
  BenchRun run;
  run.repeat.predictions = 1000;
  run.repeat.wall = Seconds(joules_per_1000 / 4);
  run.repeat.cpu = Seconds(joules_per_1000 / 5);
  run.repeat.energy = BenchJoules(joules_per_1000);
  run.repeat.contended = contended;
  run.repeat.cpu_by_phase = {{Phase::kPrepare, run.repeat.cpu * 0.25},
                             {Phase::kPrefill, run.repeat.cpu * 0.75}};
  run.idle = BenchJoules(joules_per_1000 * 0.25);
  run.machine = BenchJoules(joules_per_1000 * 1.5);
  return run;
}

inline BenchRow SampleBenchRow(std::string model, double joules,
                               double quality) {
  BenchRow row;
  row.task = "text-classification";
  row.data = "sst2.test";
  row.data_hash = Sha256Of("sst2");
  row.items = row.asked = 1000;
  row.model = std::move(model);
  row.model_hash = Sha256Of(row.model);
  row.family = "linear";
  row.engine = "liblinear 2.43";
  row.parameters = 40'000;
  row.bytes = Bytes(320'000);
  row.machine = "2 vCPU Intel Xeon (family 6 model 143), VM (KVM), no GPU";
  row.idle_policy = "proportional";
  row.load = BenchOnce{BenchJoules(joules / 7), Seconds(joules / 30),
                       Seconds(joules / 40), false, true};
  row.first = BenchOnce{BenchJoules(joules / 300), Seconds(joules / 1200),
                        Seconds(joules / 1300), false, true};
  row.warm_up = 500;
  for (const double factor : {0.98, 1.0, 1.02, 1.01, 0.99})
    row.runs.push_back(SampleBenchRun(joules * factor));
  row.latency_p50 = Seconds(joules / 5000);
  row.latency_p95 = Seconds(joules / 1200);
  row.quality = QualityFigure{"accuracy",     "sst2.test",    quality,
                              quality - 0.02, quality + 0.01, 1000};
  row.correct_share = quality;
  row.joules_per_1000 = row.joules_per_1000_all = BenchJoules(joules);
  row.joules_sd = Joules(joules * 0.016);
  row.idle_per_1000 = BenchJoules(joules * 0.25);
  row.active_per_1000 = BenchJoules(joules * 0.75);
  row.machine_per_1000 = BenchJoules(joules * 1.5);
  row.cpu_seconds_per_1000 = Estimate<Seconds>{
      Seconds(joules / 5), joules / 500, {}, Origin::kCounter, Scope::kProcess};
  row.g_co2e_per_1000 = Estimate<GramsCo2e>{GramsCo2e(joules * 1.8e-4),
                                            joules * 1e-4,
                                            {},
                                            Origin::kAssumed,
                                            Scope::kPackage};
  row.car_km_per_1000 = Estimate<Scalar>{
      Scalar(joules * 7e-7), joules * 1e-7, {}, Origin::kAssumed, Scope::kWall};
  row.phone_charges_per_1000 = Estimate<Scalar>{
      Scalar(joules * 2e-5), joules * 1e-6, {}, Origin::kAssumed, Scope::kWall};
  row.inferences_per_second = 4000 / joules;
  return row;
}

// Six rows of one workload, one of which failed, and two published figures.
inline BenchResult SampleBench() {
  BenchResult result;
  result.name = "sentiment";
  result.place = "Poland";
  result.created = "2026-01-31T18:00:00Z";
  result.version = "0.1.0";
  result.run = {"0b3c1f2a-5d6e-4f70-8a91-b2c3d4e5f607"};
  result.rows = {SampleBenchRow("majority.modicum", 0.00017, 0.51),
                 SampleBenchRow("linear.modicum", 0.043, 0.81),
                 SampleBenchRow("fasttext.modicum", 0.22, 0.80),
                 SampleBenchRow("forest.modicum", 0.051, 0.77),
                 SampleBenchRow("tiny.gguf", 41, 0.86)};
  BenchRow& network = result.rows.back();
  network.family = "bert";
  network.engine = "llama.cpp v0.5.0, Q8_0";
  network.unit = "token read";
  network.joules_per_unit = BenchJoules(0.002);
  network.above_floor = true;
  network.joules_per_correct = BenchJoules(0.048);
  network.contended = 1;
  network.runs[3].repeat.contended = true;
  network.short_windows = 2;
  network.runs[0].short_window = network.runs[1].short_window = true;
  network.notes = {
      "runs of 400 inferences: 1,000 would take 2 min each, 10 "
      "runs may take 10 min"};
  BenchRow failed;
  failed.task = "text-classification";
  failed.data = "sst2.test";
  failed.model = "broken.gguf";
  failed.machine = network.machine;
  failed.failure = "broken.gguf: not a GGUF file";
  result.rows.push_back(failed);
  result.published = {
      {"text-classification",
       {"8 fine-tuned classifiers, mean", 8280, 4400, 15600, std::nullopt,
        "node of 8 A100, RAM as a constant 431 W, CPU as 42.5 W; about 15 % of "
        "it the GPU that worked",
        "Luccioni et al. 2024, Power Hungry Processing, raw logs", "2023",
        false}},
      {"text-classification",
       {"BLOOMz-7B, zero-shot, its GPU alone", 18'000, 14'000, 23'000,
        std::nullopt, "one A100, computed from the figure of its node",
        "Luccioni et al. 2024, Power Hungry Processing, raw logs", "2023",
        true}}};
  result.missing = {"DRAM, NOT COUNTED"};
  result.factors = {{"grid intensity, Poland, 2025 average", 640, "gCO2e/kWh",
                     "Ember", "2025"}};
  return result;
}

}  // namespace modicum
