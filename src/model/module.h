// SPDX-License-Identifier: Apache-2.0
// What an engine module exports, and how the program opens one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/module_library.h"
#include "base/result.h"
#include "model/engine.h"

namespace modicum {

// A module built from other sources or by another compiler would read our
// types wrongly: it must carry this very text. Raise the number whenever
// engine.h, model.h or what they include changes.
inline constexpr char kEngineAbi[] = "modicum-engine 4, " __VERSION__;
inline constexpr char kEngineAbiSymbol[] = "modicum_engine_abi";

// libmodicum-<name>.so from the first folder that has it, of this very build.
// kUnavailable says what is missing and what to do.
Result<ModuleLibrary> OpenModuleLibrary(
    std::string_view name, const std::vector<std::string>& folders);

// Its engine, made anew at every call: the caller keeps it.
Result<Engine*> OpenModule(std::string_view name,
                           const std::vector<std::string>& folders);

}  // namespace modicum

// Put once into a module, after its engine class.
#define MODICUM_ENGINE_MODULE(EngineClass)                           \
  extern "C" __attribute__((visibility("default"))) const char*      \
  modicum_engine_abi() {                                             \
    return modicum::kEngineAbi;                                      \
  }                                                                  \
  extern "C" __attribute__((visibility("default"))) modicum::Engine* \
  modicum_engine() {                                                 \
    return new EngineClass();                                        \
  }
