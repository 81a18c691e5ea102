// SPDX-License-Identifier: Apache-2.0
// The mail module's one function; see dataset/mail.h for what it promises.
#pragma once

#include <string_view>

#include "dataset/mail.h"

namespace modicum {

MailText TextOfMail(std::string_view raw);

}  // namespace modicum
