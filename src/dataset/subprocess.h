// SPDX-License-Identifier: Apache-2.0
// A helper program, without a shell: its arguments are never interpreted.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"

namespace modicum {

struct ProcessResult {
  int exit_code = 0;   // 128 + the signal when one ended it
  std::string output;  // the end of stdout and stderr together
};

// Runs argv[0] (looked up in PATH) in `folder`, with no input, in a process
// group of its own, and waits. kUnavailable when there is no such program;
// kInterrupted when `stop` was asked for: the group is then ended.
Result<ProcessResult> RunProcess(const std::vector<std::string>& argv,
                                 const std::string& folder,
                                 const std::stop_token& stop);

}  // namespace modicum
