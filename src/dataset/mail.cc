// SPDX-License-Identifier: Apache-2.0
#include "dataset/mail.h"

#include "dataset/data_module.h"

namespace modicum {

Result<const MailParser*> FindMailParser() {
  MODICUM_TRY(void* factory,
              FindInDataModule("mail", kMailFactory, "libgmime-3.0-0"));
  return reinterpret_cast<MailFactory>(factory)();
}

}  // namespace modicum
