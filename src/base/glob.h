// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace modicum {

// Whether `path` has *, ? or [.
bool IsPattern(const std::string& path);

// What `pattern` names, sorted: the path itself where there is one, else what
// a shell would find. Empty when there is nothing.
std::vector<std::string> PathsMatching(const std::string& pattern);

}  // namespace modicum
