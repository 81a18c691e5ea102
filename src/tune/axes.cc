// SPDX-License-Identifier: Apache-2.0
#include "tune/axes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace modicum {

namespace {

int ThreadsOf(const NeuralSettings& best, const TuneMachine& cpus) {
  return best.threads > 0 ? best.threads : static_cast<int>(cpus.all.size());
}

// Its products are no llama.cpp's: nothing of theirs applies.
bool ByBlas(const NeuralSettings& best) { return best.blas == "on"; }

// One, half the cores, every core, every hardware thread.
std::set<int> ThreadCounts(const TuneMachine& cpus) {
  const auto cores = static_cast<int>(cpus.one_a_core.size());
  return {1, std::max(1, cores / 2), cores, static_cast<int>(cpus.all.size())};
}

// By the CPU alone, and half and half.
std::vector<Change> GpuLayers(const NeuralSettings& best, const TuneWorkload&,
                              const TuneMachine& cpus) {
  std::vector<Change> changes;
  for (const int layers : {0, cpus.gpu_layers / 2})
    if (cpus.gpu_layers > 0 && layers != best.gpu_layers)
      changes.push_back({{"gpu_layers", std::to_string(layers)}});
  return changes;
}

std::vector<Change> Blas(const NeuralSettings& best,
                         const TuneWorkload& workload, const TuneMachine&) {
  if (workload.kind == TuneWorkload::Kind::kGenerate || ByBlas(best)) return {};
  return {{{"blas", "on"}}};
}

// Of the phase that the workload spends its time in: of both, together, where
// nothing is generated.
std::vector<Change> Threads(const NeuralSettings& best,
                            const TuneWorkload& workload,
                            const TuneMachine& cpus) {
  std::vector<Change> changes;
  for (const int threads : ThreadCounts(cpus)) {
    if (threads == ThreadsOf(best, cpus)) continue;
    Change change = {{"threads", std::to_string(threads)}};
    // Prefill keeps its own.
    if (workload.kind == TuneWorkload::Kind::kGenerate &&
        best.batch_threads == 0)
      change["batch_threads"] = std::to_string(ThreadsOf(best, cpus));
    changes.push_back(std::move(change));
  }
  return changes;
}

std::vector<Change> BatchThreads(const NeuralSettings& best,
                                 const TuneWorkload& workload,
                                 const TuneMachine& cpus) {
  std::vector<Change> changes;
  if (workload.kind != TuneWorkload::Kind::kGenerate) return changes;
  const int now =
      best.batch_threads > 0 ? best.batch_threads : ThreadsOf(best, cpus);
  for (const int threads : ThreadCounts(cpus))
    if (threads != now)
      changes.push_back({{"batch_threads", std::to_string(threads)}});
  return changes;
}

std::vector<Change> Poll(const NeuralSettings& best, const TuneWorkload&,
                         const TuneMachine& cpus) {
  // Nobody waits for a single thread.
  if (ThreadsOf(best, cpus) == 1 && best.batch_threads <= 1) return {};
  std::vector<Change> changes;
  for (const int poll : {0, 100})
    if (poll != best.poll) changes.push_back({{"poll", std::to_string(poll)}});
  return changes;
}

std::vector<Change> MicroBatch(const NeuralSettings& best,
                               const TuneWorkload& workload,
                               const TuneMachine&) {
  const int most = workload.kind == TuneWorkload::Kind::kGenerate
                       ? workload.prompt
                       : workload.prompt * workload.batch;
  std::vector<Change> changes;
  for (const int tokens : {64, 128, 256, 1024, 2048}) {
    // An encoder's micro-batch holds whole texts; above `most` nothing changes.
    const bool holds = workload.kind == TuneWorkload::Kind::kGenerate ||
                       tokens >= workload.prompt;
    if (tokens != best.micro_batch && holds && tokens < 2 * most &&
        std::min(tokens, most) != std::min(best.micro_batch, most))
      changes.push_back({{"micro_batch", std::to_string(tokens)}});
  }
  return changes;
}

std::vector<Change> Repack(const NeuralSettings& best, const TuneWorkload&,
                           const TuneMachine&) {
  if (ByBlas(best)) return {};
  return {{{"repack", best.repack ? "false" : "true"}}};
}

std::vector<Change> FlashAttention(const NeuralSettings& best,
                                   const TuneWorkload&, const TuneMachine&) {
  std::vector<Change> changes;
  if (ByBlas(best)) return changes;
  for (const std::string value : {"off", "on"})
    if (value != best.flash_attention)
      changes.push_back({{"flash_attention", value}});
  return changes;
}

std::vector<Change> KvType(const NeuralSettings& best,
                           const TuneWorkload& workload, const TuneMachine&) {
  std::vector<Change> changes;
  for (const std::string& type : workload.kv_types)
    if (type != best.kv_type) changes.push_back({{"kv_type", type}});
  return changes;
}

std::vector<Change> Affinity(const NeuralSettings& best, const TuneWorkload&,
                             const TuneMachine& cpus) {
  const auto threads =
      static_cast<size_t>(std::max(ThreadsOf(best, cpus), best.batch_threads));
  std::vector<Change> changes;
  for (const auto* list : {&cpus.one_a_core, &cpus.all}) {
    if (list->size() < threads) continue;
    const std::string text =
        CpuList({list->begin(), list->begin() + static_cast<long>(threads)});
    if (text == best.cpus ||
        (!changes.empty() && changes[0].at("cpus") == text))
      continue;
    changes.push_back({{"cpus", text}});
  }
  return changes;
}

using Axis = std::vector<Change> (*)(const NeuralSettings&, const TuneWorkload&,
                                     const TuneMachine&);
constexpr Axis kAxes[] = {Blas,   GpuLayers, Threads,    BatchThreads,
                          Poll,   Repack,    MicroBatch, FlashAttention,
                          KvType, Affinity};

}  // namespace

size_t AxisCount() { return std::size(kAxes); }

std::vector<Change> ChangesOf(size_t axis, const NeuralSettings& best,
                              const TuneWorkload& workload,
                              const TuneMachine& cpus) {
  return kAxes[axis](best, workload, cpus);
}

std::string ToString(const Change& change) {
  std::string text;
  for (const auto& [name, value] : change)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, value);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

std::string CpuList(const std::vector<int>& cpus) {
  std::string text;
  for (size_t i = 0; i < cpus.size(); ++i) {
    size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ",", cpus[i]);
    if (last > i) text += fmt::format("-{}", cpus[last]);
    i = last;
  }
  return text;
}

}  // namespace modicum
