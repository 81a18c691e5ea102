// SPDX-License-Identifier: Apache-2.0
// libmodicum-import.so
#include "model/import/import_folder.h"

namespace modicum {
namespace {

class FolderImporter final : public Importer {
 public:
  Result<ImportedModel> Import(const std::string& folder,
                               const std::string& output,
                               const ImportOptions& options) const override {
    return ImportFolder(folder, output, options);
  }
};

}  // namespace
}  // namespace modicum

extern "C" __attribute__((visibility("default"))) const modicum::Importer*
modicum_importer_1() {
  static const modicum::FolderImporter importer;
  return &importer;
}
