// SPDX-License-Identifier: Apache-2.0
#include "model/import/import.h"

#include "base/module_library.h"

namespace modicum {

Result<ImportedModel> ImportModel(const std::string& folder,
                                  const std::string& output,
                                  const ImportOptions& options) {
  MODICUM_TRY(const ModuleLibrary library,
              ModuleLibrary::Open("import", ModuleFolders(),
                                  "it reads Hugging Face folders"));
  if (const auto factory = library.Symbol<ImporterFactory>(kImporterFactory))
    return factory()->Import(folder, output, options);
  return Fail(ErrorCode::kUnavailable,
              library.path() + " is not a module of this modicum", kModuleCure);
}

}  // namespace modicum
