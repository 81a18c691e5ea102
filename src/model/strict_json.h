// SPDX-License-Identifier: Apache-2.0
// JSON out of files that nobody vouches for: of limited depth, and no name
// twice in an object, so that two readers cannot see two things.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace modicum {

// kInvalidInput names the byte or the member; messages begin with `name`.
Result<nlohmann::json> ParseStrictJson(std::string_view text,
                                       const std::string& name,
                                       size_t depth = 16);
// Of at most `limit` bytes.
Result<nlohmann::json> ReadStrictJson(const std::string& path, uint64_t limit,
                                      size_t depth = 16);

}  // namespace modicum
