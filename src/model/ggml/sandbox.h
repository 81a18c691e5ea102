// SPDX-License-Identifier: Apache-2.0
// A process that gives up what it needs no more, before it reads a file that
// nobody vouches for.
#pragma once

#include "base/result.h"
#include "base/units.h"

namespace modicum {

struct SandboxLimits {
  Bytes memory;  // address space
  Seconds cpu;   // the process ends there, and after ten times as long anyway
};

// For good: no network, no program started, nothing written but to what is
// open, no other process touched, no core file. What the kernel does not
// support is left out; kPermission where a limit cannot be set.
Status EnterSandbox(const SandboxLimits& limits);

}  // namespace modicum
