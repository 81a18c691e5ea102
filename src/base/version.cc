// SPDX-License-Identifier: Apache-2.0
#include "base/version.h"

namespace modicum {

std::string_view Version() { return MODICUM_VERSION; }

}  // namespace modicum
