// SPDX-License-Identifier: Apache-2.0
#include "dataset/debian.h"

#include "dataset/data_module.h"

namespace modicum {

Result<const DebianReader*> FindDebianReader() {
  MODICUM_TRY(void* factory, FindInDataModule("debian", kDebianFactory, ""));
  return reinterpret_cast<DebianFactory>(factory)();
}

}  // namespace modicum
