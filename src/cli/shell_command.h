// SPDX-License-Identifier: Apache-2.0
// Reads what a shell command prints, within limits.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "base/units.h"

namespace modicum {

struct ShellLimits {
  Seconds time{10};
  size_t bytes = 4096;
};

// What `command` prints on stdout until it has ended, given to sh with nothing
// to read. It is a process group of its own, which is killed where it passes a
// limit or a stop is requested. Messages go behind its name: "failed".
// kInvalidInput (also: it prints too much), kRetry: it took too long,
// kInterrupted or kIo.
Result<std::string> ReadShellCommand(const std::string& command,
                                     const std::stop_token& stop,
                                     ShellLimits limits = {});

}  // namespace modicum
