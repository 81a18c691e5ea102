// SPDX-License-Identifier: Apache-2.0
// A plan's JSON holds the words that made it, so that it can be planned again
// or be where another plan begins.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/settings.h"

namespace modicum {

// The verb, its words, and as flags the settings of the place that are not the
// default: all of what a plan follows from but files that it names.
std::vector<std::string> PlanCommand(std::string_view verb,
                                     const std::vector<std::string>& args,
                                     const Settings& settings);

// The words of the file that `modicum plan VERB --format json` wrote.
// kInvalidInput: it is no such file, or of another verb.
Result<std::vector<std::string>> ParsePlanCommand(std::string_view json,
                                                  std::string_view verb);

// Takes the settings out of `words`, the rest is the verb's flags. What was
// given as a flag now stays.
Status TakeSavedSettings(std::vector<std::string>& words, Settings& settings);

}  // namespace modicum
