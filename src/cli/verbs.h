// SPDX-License-Identifier: Apache-2.0
// A command whose first word is one of its own: `modicum ledger list`.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/command.h"

namespace modicum {

struct VerbList {
  std::string_view command;  // "ledger"
  std::string_view noun;     // what its words are called: "action"
  std::span<const Command> verbs;
  std::string help;
};

// Runs the verb that args[0] names with the words after it. Prints the help
// when it is asked for, and as wrong usage when there is no word; an unknown
// one gets "did you mean".
Result<int> RunVerb(const VerbList& list, Context& context,
                    const std::vector<std::string>& args);

}  // namespace modicum
