// SPDX-License-Identifier: Apache-2.0
// Parsing of a command's arguments with CLI11, in our voice.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

namespace modicum {

// Parses `args` into the variables bound to `app`. Returns nullopt to go on;
// an exit code when help was asked for (printed to stdout) or the usage is
// wrong (printed to stderr with "did you mean"; kExitUsage). `stray`: what to
// do about a word that is no option, which goes behind it.
std::optional<int> ParseArgs(CLI::App& app,
                             const std::vector<std::string>& args,
                             std::string_view stray = {});

}  // namespace modicum
