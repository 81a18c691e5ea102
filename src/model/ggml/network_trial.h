// SPDX-License-Identifier: Apache-2.0
// A file that was not loaded before is first loaded by a child process that
// may do nothing else: where the file brings the library down, that ends and
// this one does not.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/model.h"
#include "model/neural.h"

namespace modicum {

// `files`: the network, then the adapters to put on it. Ok at once for files
// that passed together before, are the same (by device, inode, length and time
// of change) and were tried with the same `version` of the library. The
// network's own trial tells of it without adapters. kInvalidInput where the
// child did not survive; what it refused is its own error. kInterrupted when
// `call` ends.
Status TryInChild(const NetworkGuard& guard, std::span<const std::string> files,
                  std::string_view version, const CallOptions& call);

// In the child: sends what came out to its standard output and ends it.
[[noreturn]] void EndTrial(const Status& status);

}  // namespace modicum
