// SPDX-License-Identifier: Apache-2.0
#include "cli/verbs.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/suggest.h"
#include "cli/print_error.h"

namespace modicum {
namespace {

int WrongVerb(const VerbList& list, const std::string& word) {
  std::vector<std::string_view> names;
  for (const Command& verb : list.verbs) names.push_back(verb.name);
  return UsageError({ErrorCode::kInvalidInput,
                     fmt::format("unknown {} {} '{}'{}", list.command,
                                 list.noun, word, DidYouMean(word, names)),
                     fmt::format("`modicum {} --help` lists the {}s",
                                 list.command, list.noun)});
}

}  // namespace

Result<int> RunVerb(const VerbList& list, Context& context,
                    const std::vector<std::string>& args) {
  const bool asked = !args.empty() && (args[0] == "--help" || args[0] == "-h");
  if (args.empty() || asked) {
    std::fputs(list.help.c_str(), asked ? stdout : stderr);
    return asked ? kExitOk : kExitUsage;
  }
  for (const Command& verb : list.verbs)
    if (verb.name == args[0])
      return verb.run(context, {args.begin() + 1, args.end()});
  return WrongVerb(list, args[0]);
}

}  // namespace modicum
