// SPDX-License-Identifier: Apache-2.0
// Giving up what only the beginning of a program needed.
#pragma once

#include <string>

#include "base/result.h"

namespace modicum {

// This thread's capabilities (Linux: capabilities(7)), for good. Threads that
// it starts have none either.
void DropCapabilities();

// The whole process becomes `user`, a name of the system's, without any other
// group; "" leaves it who it is. Then DropCapabilities(), and no program that
// it starts can gain any. kInvalidInput for an unknown name, kPermission for
// who is not root.
Status DropPrivileges(const std::string& user);

}  // namespace modicum
