// SPDX-License-Identifier: Apache-2.0
#include "meter/cpu_weights.h"

#include <algorithm>
#include <chrono>

#include "meter/host_cpu.h"
#include "meter/words.h"

namespace modicum {
namespace {

// Of a second that had the core for itself.
constexpr double kSharedSecond = 1.15 / 2;

// Files that stay open; a big machine does not use up our descriptors.
constexpr size_t kMostKeptCpus = 128;

// Kernels that make a CPU count afresh for each reading sleep meanwhile: their
// frequencies are not worth that.
constexpr std::chrono::milliseconds kMostReading{50};

constexpr std::string_view kFrequency = "/cpufreq/scaling_cur_freq";

std::string CpuPath(int id, std::string_view file) {
  return "/sys/devices/system/cpu/cpu" + std::to_string(id) + std::string(file);
}

// Calls visit(id, rest of the line) for each line "cpu0 7912 0 1538 ...".
template <class Visit>
void ForEachCpu(std::string_view stat, const Visit& visit) {
  while (!stat.empty()) {
    std::string_view line = TakeUntil(stat, '\n');
    const std::string_view name = TakeWord(line);
    if (!name.starts_with("cpu")) return;
    int id = 0;
    if (ParseNumber(name.substr(3), id)) visit(id, line);
  }
}

}  // namespace

Factor SharedCoreFactor() {
  return {"CPU time by frequency, and beside a busy hardware thread",
          kSharedSecond, "of a core's second",
          "Weigell et al., METRION, arXiv 2512.06806", "2025-12-07"};
}

CpuWeights::CpuWeights(const RootFs& fs) : stat_(fs, "/proc/stat") {
  if (!fs.Exists(CpuPath(0, kFrequency)) || !stat_.ReadInto(buffer_)) return;
  std::vector<std::string> cores;
  ForEachCpu(buffer_, [&](int id, std::string_view) {
    const auto siblings =
        fs.Read(CpuPath(id, "/topology/thread_siblings_list"));
    cores.push_back(siblings ? *siblings : std::to_string(id));
    const auto first = std::find(cores.begin(), cores.end(), cores.back());
    cpus_.push_back(
        {id, static_cast<size_t>(first - cores.begin()),
         KeptFile(fs, CpuPath(id, kFrequency), cpus_.size() < kMostKeptCpus)});
  });
  const auto silent = [this](Cpu& cpu) {
    return !cpu.frequency.ReadInto(buffer_);
  };
  if (std::any_of(cpus_.begin(), cpus_.end(), silent)) cpus_.clear();
}

CpuWeights::Cpu* CpuWeights::Find(int id) {
  const auto found = std::lower_bound(
      cpus_.begin(), cpus_.end(), id,
      [](const Cpu& cpu, int wanted) { return cpu.id < wanted; });
  return found == cpus_.end() || found->id != id ? nullptr : &*found;
}

// A CPU that was unplugged ran nothing.
void CpuWeights::ReadTimes() {
  for (Cpu& cpu : cpus_) cpu.left = Seconds(0);
  ForEachCpu(buffer_, [this](int id, std::string_view columns) {
    Cpu* cpu = Find(id);
    const auto ticks = ParseCpuTicks(columns);
    if (cpu == nullptr || !ticks) return;
    const uint64_t before = cpu->busy;
    const uint64_t span = ticks->total - std::min(ticks->total, cpu->total);
    cpu->busy = ticks->busy;
    cpu->total = ticks->total;
    const uint64_t busy = ticks->busy - std::min(ticks->busy, before);
    cpu->left = HostCpuReader::FromTicks(busy);
    cpu->share = span > 0 ? std::min(1.0, static_cast<double>(busy) /
                                              static_cast<double>(span))
                          : 0;
  });
}

// Only of CPUs that ran anything.
void CpuWeights::ReadFrequencies() {
  const auto start = std::chrono::steady_clock::now();
  for (Cpu& cpu : cpus_) {
    if (cpu.left == Seconds(0)) continue;
    std::string_view text;
    if (cpu.frequency.ReadInto(buffer_)) text = buffer_;
    ParseNumber(TakeWord(text), cpu.khz);
    if (cpu.khz <= 0 ||
        std::chrono::steady_clock::now() - start > kMostReading) {
      has_frequency_ = false;
      return;
    }
  }
}

void CpuWeights::Look() {
  if (!known() || !stat_.ReadInto(buffer_)) return;
  ReadTimes();
  if (has_frequency_) ReadFrequencies();
  std::vector<double> core_share(cpus_.size());
  for (const Cpu& cpu : cpus_) core_share[cpu.core] += cpu.share;
  double busy = 0, weighed = 0;
  for (Cpu& cpu : cpus_) {
    const double beside = std::min(1.0, core_share[cpu.core] - cpu.share);
    cpu.weight =
        (has_frequency_ ? cpu.khz : 1) * (1 - beside * (1 - kSharedSecond));
    busy += cpu.left.value();
    weighed += cpu.left.value() * cpu.weight;
  }
  for (Cpu& cpu : cpus_) cpu.weight *= weighed > 0 ? busy / weighed : 0;
}

double CpuWeights::Of(int cpu) {
  const Cpu* found = Find(cpu);
  return found == nullptr || found->weight <= 0 ? 1 : found->weight;
}

void CpuWeights::Spend(int cpu, Seconds time) {
  if (Cpu* found = Find(cpu))
    found->left = std::max(Seconds(0), found->left - time);
}

double CpuWeights::OfRest() const {
  double left = 0, weighed = 0;
  for (const Cpu& cpu : cpus_) {
    left += cpu.left.value();
    weighed += cpu.left.value() * cpu.weight;
  }
  return left > 0 ? weighed / left : 1;
}

}  // namespace modicum
