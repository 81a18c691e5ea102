// SPDX-License-Identifier: Apache-2.0
#include "model/module.h"

namespace modicum {

Result<ModuleLibrary> OpenModuleLibrary(
    std::string_view name, const std::vector<std::string>& folders) {
  MODICUM_TRY(ModuleLibrary library, ModuleLibrary::Open(name, folders));
  MODICUM_RETURN_IF_ERROR(
      library.CheckBuild(kEngineAbiSymbol, kEngineAbi, "a modicum engine"));
  return library;
}

Result<Engine*> OpenModule(std::string_view name,
                           const std::vector<std::string>& folders) {
  MODICUM_TRY(const ModuleLibrary library, OpenModuleLibrary(name, folders));
  const auto factory = library.Symbol<EngineFactory>(kEngineFactory);
  if (factory == nullptr)
    return Fail(ErrorCode::kUnavailable,
                library.path() + " is not a modicum engine", kModuleCure);
  return factory();
}

}  // namespace modicum
