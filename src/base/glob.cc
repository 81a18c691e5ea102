// SPDX-License-Identifier: Apache-2.0
#include "base/glob.h"

#include <glob.h>

#include <filesystem>

namespace modicum {

bool IsPattern(const std::string& path) {
  return path.find_first_of("*?[") != std::string::npos;
}

std::vector<std::string> PathsMatching(const std::string& pattern) {
  // A name may have a bracket of its own.
  if (std::error_code ignored; std::filesystem::exists(pattern, ignored))
    return {pattern};
  std::vector<std::string> paths;
  if (!IsPattern(pattern)) return paths;
  glob_t found{};
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0)
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  return paths;
}

}  // namespace modicum
