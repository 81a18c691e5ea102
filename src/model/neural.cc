// SPDX-License-Identifier: Apache-2.0
#include "model/neural.h"

#include <mutex>

#include "model/module.h"

namespace modicum {

namespace {

std::mutex engine_lock;
NeuralEngine* open_engine = nullptr;  // lives as long as the process

NetworkGuard& Guard() {
  static NetworkGuard guard;
  return guard;
}

}  // namespace

void GuardNetworks(NetworkGuard guard) {
  const std::lock_guard lock(engine_lock);
  Guard() = std::move(guard);
  if (open_engine != nullptr) open_engine->SetGuard(Guard());
}

Result<NeuralEngine*> FindNeuralEngine() {
  const std::lock_guard lock(engine_lock);
  if (open_engine != nullptr) return open_engine;
  const auto library = OpenModuleLibrary(kNeuralModule, ModuleFolders());
  if (!library)
    return Fail(library.error().code, library.error().message,
                "install the package modicum-engines, or build it: tools/llama "
                "&& cmake --preset release && cmake --build build/release");
  const auto factory = library->Symbol<NeuralFactory>(kNeuralFactory);
  if (factory == nullptr)
    return Fail(ErrorCode::kUnavailable,
                library->path() + " runs no neural networks", kModuleCure);
  open_engine = factory();
  open_engine->SetGuard(Guard());
  return open_engine;
}

}  // namespace modicum
