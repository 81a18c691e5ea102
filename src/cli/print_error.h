// SPDX-License-Identifier: Apache-2.0
// How the program says that something failed.
#pragma once

#include <string>

#include "base/result.h"

namespace modicum {

//   modicum: error: <message>
//     hint: <hint, further lines under its first>
std::string ErrorText(const Error& error, bool colour);

// To stderr, in colour where that is wanted.
void PrintError(const Error& error);

// For a wrong flag or argument that a command finds after ParseArgs: prints
// the error and returns kExitUsage.
int UsageError(const Error& error);

}  // namespace modicum
