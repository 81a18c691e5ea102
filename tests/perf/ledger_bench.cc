// SPDX-License-Identifier: Apache-2.0
// Durable rows a second: every commit is fsynced. The argument is the number
// of rows in a transaction; 1 is the baseline. Writes to the folder that
// TMPDIR names: a memory file system would measure no disk.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>

#include "record/ledger.h"

namespace modicum {
namespace {

class Folder {
 public:
  Folder() {
    name_ = (std::filesystem::temp_directory_path() / "modicum-bench-XXXXXX")
                .string();
    MODICUM_CHECK(mkdtemp(name_.data()) != nullptr);
  }
  ~Folder() { std::filesystem::remove_all(name_); }
  std::string ledger() const { return name_ + "/ledger.db"; }

 private:
  std::string name_;
};

std::vector<Measurement> Batch(const Uuid& run, size_t rows) {
  Measurement m;
  m.key = {run, "0b3c1f2a-5d6e-4f70-8a91-b2c3d4e5f607", "host", 0};
  m.name = "sample";
  m.phase = Phase::kPrefill;
  m.domain = "package-0";
  m.probe = "rapl";
  m.wall = Seconds(0.1);
  m.cpu = Seconds(0.09);
  m.energy = {Joules(1.234567), 0.01, {}, Origin::kCounter, Scope::kPackage};
  m.energy.WithShared(InternSource("cpu-load model"), 0.4);
  return std::vector<Measurement>(rows, m);
}

void BM_PutMeasurements(benchmark::State& state) {
  const Folder folder;
  const auto ledger = Ledger::Open(folder.ledger());
  MODICUM_CHECK(ledger.has_value());
  const auto rows = static_cast<size_t>(state.range(0));
  std::vector<Measurement> batch = Batch(NewUuid(), rows);
  uint64_t seq = 0;
  for (auto _ : state) {
    for (Measurement& m : batch) m.key.seq = seq++;
    MODICUM_CHECK((*ledger)->Put(batch).has_value());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_PutMeasurements)
    ->Arg(1)
    ->Arg(10)
    ->Arg(100)
    ->Arg(1000)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// What a metered command pays: open, one row with its evidence, close. The
// argument is the way of closing: 0 tidy, the baseline; 1 fast.
void BM_OpenPutAndClose(benchmark::State& state) {
  const Folder folder;
  MODICUM_CHECK(Ledger::Open(folder.ledger()).has_value());
  for (auto _ : state) {
    const auto ledger =
        Ledger::Open(folder.ledger(), static_cast<LedgerClose>(state.range(0)));
    MODICUM_CHECK(ledger.has_value());
    Run run;
    run.id = NewUuid();
    run.status = RunStatus::kOk;
    MODICUM_CHECK((*ledger)->Put(run, Batch(run.id, 1)).has_value());
  }
}
BENCHMARK(BM_OpenPutAndClose)
    ->Arg(0)
    ->Arg(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace modicum
