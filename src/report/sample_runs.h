// SPDX-License-Identifier: Apache-2.0
// Four likely runs of a ledger, for the tests of the reports.
#pragma once

#include <vector>

#include "record/types.h"

namespace modicum {

// Begins at 2026-01-31T18:00:00Z.
inline WallTime SampleTime(int64_t seconds) {
  return {1'769'882'400'000'000 + seconds * 1'000'000};
}

inline Bill SampleBill(double joules) {
  Bill bill;
  bill.wall = Seconds(joules / 4);
  bill.cpu = Seconds(joules / 3);
  bill.energy = Estimate<Joules>{
      Joules(joules), 0, {}, Origin::kModelled, Scope::kPackage};
  bill.energy.WithShared(InternSource("power model"), 0.5);
  bill.operational = Estimate<GramsCo2e>{
      GramsCo2e(joules * 2e-4), 0, {}, Origin::kAssumed, Scope::kPackage};
  bill.operational.WithShared(InternSource("power model"), 0.5);
  bill.water = Estimate<Litres>{
      Litres(joules * 1e-6), 0, {}, Origin::kAssumed, Scope::kPackage};
  bill.place = "Poland";
  bill.factors = {{"grid intensity, Poland, 2024 average", 640, "gCO2e/kWh",
                   "Ember", "2024"}};
  bill.missing = {"DRAM, NOT COUNTED"};
  return bill;
}

inline Run SampleRun(std::string id, std::string kind, RunStatus status,
                     int64_t start, int64_t seconds) {
  Run run;
  run.id = {std::move(id)};
  run.kind = std::move(kind);
  run.name = "./train.sh --rate 1e-3_a";
  run.started = SampleTime(start);
  run.ended = SampleTime(start + seconds);
  run.status = status;
  run.host.boot = "b";
  run.host.cpu_model = "Intel Xeon";
  run.host.logical_cpus = 2;
  run.host.virtual_machine = true;
  run.host.hypervisor = "KVM";
  run.bill = SampleBill(static_cast<double>(4 * seconds));
  run.version = "0.1.0";
  return run;
}

// The newest first, as the ledger has it; the last was killed.
inline std::vector<Run> SampleRuns() {
  std::vector<Run> runs{SampleRun("d", "fit", RunStatus::kOk, 90'000, 100),
                        SampleRun("c", "run", RunStatus::kInterrupted, 500, 50),
                        SampleRun("b", "run", RunStatus::kFailed, 200, 25),
                        SampleRun("a", "run", RunStatus::kRunning, 0, 0)};
  runs[3].bill.reset();
  return runs;
}

}  // namespace modicum
