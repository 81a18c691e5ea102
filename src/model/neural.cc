// SPDX-License-Identifier: Apache-2.0
#include "model/neural.h"

#include <mutex>

#include "model/module.h"

namespace modicum {

Result<NeuralEngine*> FindNeuralEngine() {
  static std::mutex mutex;
  static NeuralEngine* engine = nullptr;  // lives as long as the process
  const std::lock_guard lock(mutex);
  if (engine != nullptr) return engine;
  // Checks that the module is of this build; its families are not wanted here.
  const auto opened = OpenModule(kNeuralModule, ModuleFolders());
  if (!opened)
    return Fail(opened.error().code, opened.error().message,
                "build it: tools/llama && cmake --preset release && "
                "cmake --build build/release");
  const std::unique_ptr<Engine> families(*opened);
  MODICUM_TRY(const ModuleLibrary library,
              ModuleLibrary::Open(kNeuralModule, ModuleFolders()));
  const auto factory = library.Symbol<NeuralFactory>(kNeuralFactory);
  if (factory == nullptr)
    return Fail(ErrorCode::kUnavailable,
                library.path() + " runs no neural networks", kModuleCure);
  engine = factory();
  return engine;
}

}  // namespace modicum
