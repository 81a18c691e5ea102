// SPDX-License-Identifier: Apache-2.0
// One look at 500 processes and more, and the split among them: under 5 ms, so
// that a look a second takes under 0.5 % of a core. The baseline is reading
// their stat files alone, as any tool must.
#include <benchmark/benchmark.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "meter/allot.h"
#include "meter/census.h"

namespace modicum {
namespace {

// Sleepers, ended with this object.
class Sleepers {
 public:
  explicit Sleepers(int count) {
    for (int i = 0; i < count; ++i) {
      const pid_t pid = fork();
      if (pid == 0) {
        pause();
        _exit(0);
      }
      if (pid > 0) pids_.push_back(pid);
    }
  }
  ~Sleepers() {
    for (const pid_t pid : pids_) kill(pid, SIGKILL);
    for (const pid_t pid : pids_) waitpid(pid, nullptr, 0);
  }

 private:
  std::vector<pid_t> pids_;
};

constexpr int kProcesses = 500;

void BM_ReadStatFiles(benchmark::State& state) {
  const Sleepers sleepers(kProcesses);
  const RootFs fs;
  std::string buffer;
  for (auto _ : state) {
    const auto names = *fs.List("/proc");
    for (const std::string& name : names)
      if (name[0] >= '0' && name[0] <= '9')
        benchmark::DoNotOptimize(
            fs.ReadInto("/proc/" + name + "/stat", buffer).has_value());
  }
}
BENCHMARK(BM_ReadStatFiles)->Unit(benchmark::kMillisecond);

void BM_CensusAndAllot(benchmark::State& state) {
  const Sleepers sleepers(kProcesses);
  const RootFs fs;
  Census census(fs);
  WindowReading reading;
  reading.wall = Seconds(1);
  reading.capacity = Seconds(2);
  reading.host_busy = Seconds(1);
  DomainEnergy cpu;
  cpu.domain.component = "cpu";
  cpu.energy = Exactly(Joules(30), Origin::kModelled, Scope::kPackage)
                   .WithShared(InternSource("a"), 0.3)
                   .WithShared(InternSource("b"), 0.2);
  cpu.idle = Exactly(Watts(10), Origin::kModelled, Scope::kPackage)
                 .WithShared(InternSource("a"), 0.3);
  reading.domains = {cpu};
  reading.split.measured = cpu.energy;
  size_t processes = 0;
  for (auto _ : state) {
    auto uses = *census.Take();
    // All have work: none is left out of the split.
    for (ProcessCpuUse& use : uses) use.cpu = Seconds(0.001);
    const auto consumers = GroupBy(
        uses, [](const ProcessCpuUse& use) { return std::to_string(use.pid); });
    const Allotment allotment =
        Allot(reading, consumers, IdlePolicy::kProportional);
    processes = allotment.shares.size();
    benchmark::DoNotOptimize(allotment.unattributed.mid);
  }
  state.counters["processes"] = static_cast<double>(processes);
}
BENCHMARK(BM_CensusAndAllot)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace modicum
