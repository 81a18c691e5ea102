// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/thread_pools.h"

#include <algorithm>
#include <charconv>

namespace modicum {
namespace {

Result<int> ParseCpu(std::string_view word) {
  int cpu = -1;
  const auto [end, error] =
      std::from_chars(word.data(), word.data() + word.size(), cpu);
  if (error == std::errc() && end == word.data() + word.size() && cpu >= 0)
    return cpu;
  return Fail(ErrorCode::kInvalidInput,
              "'" + std::string(word) + "' is not a CPU",
              "write CPUs as 0,2-3");
}

Status AddRange(std::string_view range, std::vector<int>& cpus) {
  const size_t dash = range.find('-');
  MODICUM_TRY(const int first, ParseCpu(range.substr(0, dash)));
  int last = first;
  if (dash != range.npos) {
    MODICUM_TRY(last, ParseCpu(range.substr(dash + 1)));
  }
  const std::vector<int> usable = UsableCpus();
  for (int cpu = first; cpu <= last; ++cpu) {
    if (!std::binary_search(usable.begin(), usable.end(), cpu) ||
        cpu >= GGML_MAX_N_THREADS)
      return Fail(
          ErrorCode::kInvalidInput,
          "CPU " + std::to_string(cpu) + " is none that this process may use",
          "`taskset -p $$` shows which it may");
    cpus.push_back(cpu);
  }
  return {};
}

Result<int> ThreadsOf(int wanted, int otherwise) {
  const int threads = wanted == 0 ? otherwise : wanted;
  if (threads >= 1 && threads <= GGML_MAX_N_THREADS) return threads;
  return Fail(ErrorCode::kInvalidInput,
              std::to_string(wanted) + " threads cannot be had",
              "use 1 to " + std::to_string(GGML_MAX_N_THREADS));
}

Result<PoolHandle> StartPool(int threads, const NeuralSettings& settings,
                             const std::vector<int>& cpus) {
  ggml_threadpool_params params = ggml_threadpool_params_default(threads);
  params.poll = static_cast<uint32_t>(settings.poll);
  for (const int cpu : cpus) params.cpumask[cpu] = true;
  PoolHandle pool(Cpu().new_pool(&params));
  if (pool != nullptr) return pool;
  return Fail(ErrorCode::kUnavailable,
              "cannot start " + std::to_string(threads) + " threads",
              "use fewer: --threads");
}

}  // namespace

Result<std::vector<int>> ParseCpus(std::string_view text) {
  std::vector<int> cpus;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    MODICUM_RETURN_IF_ERROR(AddRange(text.substr(0, comma), cpus));
    if (comma == text.npos) break;
    text.remove_prefix(comma + 1);
  }
  return cpus;
}

Result<ThreadPools> ThreadPools::Start(const NeuralSettings& settings) {
  MODICUM_TRY(const std::vector<int> cpus, ParseCpus(settings.cpus));
  const size_t usable = cpus.empty() ? UsableCpus().size() : cpus.size();
  ThreadPools pools;
  MODICUM_TRY(pools.threads_,
              ThreadsOf(settings.threads, static_cast<int>(usable)));
  MODICUM_TRY(pools.batch_threads_,
              ThreadsOf(settings.batch_threads, pools.threads_));
  MODICUM_TRY(pools.pool_, StartPool(pools.threads_, settings, cpus));
  if (pools.batch_threads_ != pools.threads_) {
    MODICUM_TRY(pools.batch_pool_,
                StartPool(pools.batch_threads_, settings, cpus));
  }
  return pools;
}

void ThreadPools::Attach(llama_context& context) const {
  llama_attach_threadpool(&context, pool_.get(),
                          batch_pool_ ? batch_pool_.get() : pool_.get());
}

void ThreadPools::Attach(ggml_backend& cpu) const {
  Cpu().set_threads(&cpu, batch_threads_);
  Cpu().set_pool(&cpu, batch_pool_ ? batch_pool_.get() : pool_.get());
}

}  // namespace modicum
