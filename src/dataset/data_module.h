// SPDX-License-Identifier: Apache-2.0
// What only `modicum data` needs sits in modules, opened when first used:
// metering never pays for it.
#pragma once

#include <string>

#include "base/result.h"

namespace modicum {

// The address of `factory`, a C function of libmodicum-<name>.so, searched in
// $MODICUM_MODULES alone when set, else in the program's folder and in
// ../lib/modicum beside it. The library stays open. kUnavailable says what is
// missing; `needs` is the Debian package it takes a library from, or "".
Result<void*> FindInDataModule(const std::string& name, const char* factory,
                               const std::string& needs);

}  // namespace modicum
