// SPDX-License-Identifier: Apache-2.0
// What ggml computes with, asked for by its registry. Built for one machine
// the CPU's backend is linked in; in a package each backend is a library
// beside the module, and the best for this CPU is opened at run time.
#pragma once

#include <ggml-backend.h>
#include <ggml-cpu.h>

#include <vector>

#include "base/result.h"

namespace modicum {

// Opens the libraries of a package once. kUnavailable, always, when none of
// them computes on this CPU. Thread-safe.
Status OpenBackends();

// The CPU's backend, which OpenBackends() has found.
struct CpuBackend {
  ggml_backend_device* device;
  decltype(&ggml_backend_cpu_set_n_threads) set_threads;
  decltype(&ggml_backend_cpu_set_threadpool) set_pool;
  decltype(&ggml_backend_cpu_set_abort_callback) set_abort_callback;
  decltype(&ggml_threadpool_new) new_pool;
  decltype(&ggml_threadpool_free) free_pool;

  ggml_backend* Start() const { return ggml_backend_dev_init(device, nullptr); }
  ggml_backend_buffer_type* memory() const {
    return ggml_backend_dev_buffer_type(device);
  }
};
const CpuBackend& Cpu();

// The devices beside the CPU that can hold a network's layers, after
// OpenBackends().
std::vector<ggml_backend_device*> Gpus();

}  // namespace modicum
