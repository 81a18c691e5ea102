// SPDX-License-Identifier: Apache-2.0
// The work of ImportModel: what libmodicum-import.so is made of.
#pragma once

#include <string>

#include "model/import/import.h"

namespace modicum {

Result<ImportedModel> ImportFolder(const std::string& folder,
                                   const std::string& output,
                                   const ImportOptions& options = {});

}  // namespace modicum
