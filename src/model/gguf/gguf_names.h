// SPDX-License-Identifier: Apache-2.0
// Names out of a file that nobody vouches for, as a message may show them.
#pragma once

#include <string>
#include <string_view>

namespace modicum {

// In quotes, at most 64 bytes, without control characters or broken UTF-8.
std::string Shown(std::string_view name);

// Whether a key or a tensor may be called so: printable UTF-8, not empty, so
// that two names that differ also differ to a reader that stops at a NUL.
bool IsSoundName(std::string_view name);

}  // namespace modicum
