// SPDX-License-Identifier: Apache-2.0
#include "dataset/mail.h"

#include "base/module_library.h"

namespace modicum {

Result<const MailParser*> FindMailParser() {
  MODICUM_TRY(
      const ModuleLibrary library,
      ModuleLibrary::Open("mail", ModuleFolders(), "", "libgmime-3.0-0"));
  if (const auto factory = library.Symbol<MailFactory>(kMailFactory))
    return factory();
  return Fail(ErrorCode::kUnavailable,
              library.path() + " is not a module of this modicum", kModuleCure);
}

}  // namespace modicum
