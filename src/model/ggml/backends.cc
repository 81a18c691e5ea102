// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/backends.h"

#include <dlfcn.h>

#include <filesystem>

#include "base/module_library.h"

namespace modicum {
namespace {

#ifdef GGML_BACKEND_DL
// Of the module that this is a part of: its backends lie beside it.
std::string OwnFolder() {
  Dl_info own{};
  if (dladdr(reinterpret_cast<const void*>(&OwnFolder), &own) == 0) return ".";
  return std::filesystem::path(own.dli_fname).parent_path().string();
}

void LoadLibraries() { ggml_backend_load_all_from_path(OwnFolder().c_str()); }
#else
std::string OwnFolder() { return "this build"; }
void LoadLibraries() {}
#endif

template <class Function>
void Find(Function& function, ggml_backend_reg* registry, const char* name) {
  function = reinterpret_cast<Function>(
      ggml_backend_reg_get_proc_address(registry, name));
  MODICUM_CHECK(function != nullptr);
}

CpuBackend FindCpu() {
  MODICUM_CHECK(OpenBackends());
  CpuBackend cpu{};
  cpu.device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
  ggml_backend_reg* const registry = ggml_backend_dev_backend_reg(cpu.device);
  Find(cpu.set_threads, registry, "ggml_backend_set_n_threads");
  Find(cpu.set_pool, registry, "ggml_backend_cpu_set_threadpool");
  Find(cpu.set_abort_callback, registry, "ggml_backend_set_abort_callback");
  Find(cpu.new_pool, registry, "ggml_threadpool_new");
  Find(cpu.free_pool, registry, "ggml_threadpool_free");
  return cpu;
}

Status LoadAndCheck() {
  LoadLibraries();
  if (ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU) != nullptr)
    return {};
  return Fail(ErrorCode::kUnavailable,
              "no libggml-cpu-*.so in " + OwnFolder() + " runs on this CPU",
              kModuleCure);
}

}  // namespace

Status OpenBackends() {
  static const Status opened = LoadAndCheck();
  return opened;
}

const CpuBackend& Cpu() {
  static const CpuBackend cpu = FindCpu();
  return cpu;
}

std::vector<ggml_backend_device*> Gpus() {
  std::vector<ggml_backend_device*> gpus;
  for (size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    ggml_backend_device* const device = ggml_backend_dev_get(i);
    const auto type = ggml_backend_dev_type(device);
    if (type == GGML_BACKEND_DEVICE_TYPE_GPU ||
        type == GGML_BACKEND_DEVICE_TYPE_IGPU)
      gpus.push_back(device);
  }
  return gpus;
}

}  // namespace modicum
