// SPDX-License-Identifier: Apache-2.0
#include "dataset/debian.h"

#include "base/module_library.h"

namespace modicum {

Result<const DebianReader*> FindDebianReader() {
  MODICUM_TRY(const ModuleLibrary library,
              ModuleLibrary::Open("debian", ModuleFolders()));
  if (const auto factory = library.Symbol<DebianFactory>(kDebianFactory))
    return factory();
  return Fail(ErrorCode::kUnavailable,
              library.path() + " is not a module of this modicum", kModuleCure);
}

}  // namespace modicum
