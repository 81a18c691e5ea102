// SPDX-License-Identifier: Apache-2.0
#include "model/neural.h"

#include <mutex>

#include "model/module.h"

namespace modicum {

namespace {

std::mutex mutex;
NeuralEngine* engine = nullptr;  // lives as long as the process

NetworkGuard& Guard() {
  static NetworkGuard guard;
  return guard;
}

}  // namespace

void GuardNetworks(NetworkGuard guard) {
  const std::lock_guard lock(mutex);
  Guard() = std::move(guard);
  if (engine != nullptr) engine->SetGuard(Guard());
}

Result<NeuralEngine*> FindNeuralEngine() {
  const std::lock_guard lock(mutex);
  if (engine != nullptr) return engine;
  const auto library = OpenModuleLibrary(kNeuralModule, ModuleFolders());
  if (!library)
    return Fail(library.error().code, library.error().message,
                "build it: tools/llama && cmake --preset release && "
                "cmake --build build/release");
  const auto factory = library->Symbol<NeuralFactory>(kNeuralFactory);
  if (factory == nullptr)
    return Fail(ErrorCode::kUnavailable,
                library->path() + " runs no neural networks", kModuleCure);
  engine = factory();
  engine->SetGuard(Guard());
  return engine;
}

}  // namespace modicum
